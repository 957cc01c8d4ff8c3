import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandId, readServicesFile, versionOf } from './services-file.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cless-services-'));
  file = join(directory, 'services.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

function read(content: unknown) {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readServicesFile(file);
}

test('a command runs in the folder of the file, or where it says', async () => {
  const services = await read({
    web: { command: ['node', 'server.js'] },
    shop: { command: ['./shop'], cwd: 'shop', env: { A: '1' } },
    root: { command: ['ls'], cwd: '/' },
  });
  expect(services).toEqual(
    new Map([
      ['web', { command: ['node', 'server.js'], cwd: directory, env: {} }],
      ['shop', { command: ['./shop'], cwd: join(directory, 'shop'), env: { A: '1' } }],
      ['root', { command: ['ls'], cwd: '/', env: {} }],
    ]),
  );
});

test.each([
  ['no JSON', '{', 'JSON'],
  ['a list', [], 'it is no object'],
  ['null', null, 'it is no object'],
  ['a service that is a string', { web: 'node' }, 'service web: it is no object'],
  ['no command', { web: {} }, 'command must be a list of strings'],
  ['a command line', { web: { command: 'node server.js' } }, 'command must be a list of strings'],
  ['an empty command', { web: { command: [] } }, 'command must be a list of strings'],
  ['a number in it', { web: { command: ['sleep', 1] } }, 'command must be a list of strings'],
  ['a folder that is none', { web: { command: ['a'], cwd: 1 } }, 'cwd must be a string'],
  ['a number as a value', { web: { command: ['a'], env: { A: 1 } } }, 'env must map names to strings'],
  ['an unknown key', { web: { command: ['a'], envs: {} } }, 'service web: unknown key envs'],
])('%s is told, with the file', async (_, content, message) => {
  const reading = read(content);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(file);
});

test('a file that is not there is told, too', async () => {
  await expect(readServicesFile(file)).rejects.toThrow(file);
});

test('an id is of what is run, and how', () => {
  const one = { command: ['a'], cwd: '/', env: {} } as const;
  expect(commandId(one)).toBe(commandId({ ...one }));
  expect(commandId(one)).toMatch(/^sha256:[0-9a-f]{64}$/);
  for (const other of [{ command: ['b'] }, { cwd: '/tmp' }, { env: { A: '' } }] as const)
    expect(commandId({ ...one, ...other })).not.toBe(commandId(one));
});

test('a version changes with what is written, and with what a link leads to', () => {
  expect(versionOf(file)).toBe('');
  writeFileSync(file, '{}');
  const first = versionOf(file);
  expect(versionOf(file)).toBe(first);
  const other = join(directory, 'other.json');
  writeFileSync(other, '{}');
  const link = join(directory, 'link.json');
  symlinkSync(file, link);
  expect(versionOf(link)).toBe(first);
  renameSync(other, file);
  expect(versionOf(link)).not.toBe(first);
});
