import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StateDirectory } from './state-directory.ts';

const UNUSABLE = expect.objectContaining({ code: 'STATE_DIRECTORY' });
const directory = mkdtempSync(join(tmpdir(), 'cless-state-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('it is made for its owner’s eyes only, and keeps one id', () => {
  const path = join(directory, 'a', 'b');
  const state = new StateDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  const owner = state.owner();
  expect(owner).toMatch(/^[0-9a-f]{12}$/);
  state.close();
  const again = new StateDirectory(path);
  expect(again.owner()).toBe(owner);
  again.close();
});

test('one proxy at a time has it; a killed one has it no longer', () => {
  const path = join(directory, 'locked');
  const module = new URL('./state-directory.ts', import.meta.url).href;
  const script = `import { StateDirectory } from ${JSON.stringify(module)}; new StateDirectory(${JSON.stringify(path)}); process.kill(process.pid, 'SIGKILL');`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal).toBe('SIGKILL');
  const state = new StateDirectory(path);
  expect(() => new StateDirectory(path)).toThrow(UNUSABLE);
  expect(() => new StateDirectory(path)).toThrow('another proxy uses the state directory');
  state.close();
  new StateDirectory(path).close();
});

test('one that cannot be made is an error that names the setting', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => new StateDirectory(join(directory, 'file', 'state'))).toThrow(/CLESS_STATE_DIR names another/);
});

test('one that was there before keeps its mode', () => {
  const path = join(directory, 'before');
  mkdirSync(path);
  chmodSync(path, 0o755);
  new StateDirectory(path).close();
  expect(statSync(path).mode & 0o777).toBe(0o755);
});

test.each([0o775, 0o757, 0o1777])(
  'one that others may write to is refused, and left as it is: %o',
  (mode) => {
    const path = join(directory, `shared${mode}`);
    mkdirSync(path);
    chmodSync(path, mode);
    expect(() => new StateDirectory(path)).toThrow(UNUSABLE);
    expect(() => new StateDirectory(path)).toThrow(`(mode ${mode.toString(8)})`);
    expect([statSync(path).mode & 0o7777, readdirSync(path)]).toEqual([mode, []]);
  },
);

test('a lock that cannot be opened is an error of the state directory, and none of another proxy', () => {
  const path = join(directory, 'nolock');
  mkdirSync(join(path, 'lock'), { recursive: true, mode: 0o700 });
  expect(() => new StateDirectory(path)).toThrow(UNUSABLE);
  expect(() => new StateDirectory(path)).toThrow(/cannot be used \(unable to open database file\)/);
});

test('the owner is whole or not there; one that cannot be read is never replaced', () => {
  const state = new StateDirectory(join(directory, 'owner'));
  const file = join(state.path, 'owner');
  const owner = state.owner();
  expect(readFileSync(file, 'utf8')).toBe(`${owner}\n`);
  expect([statSync(file).mode & 0o777, existsSync(`${file}.new`)]).toEqual([0o600, false]);
  for (const content of ['', '\n', '\0\0\0\0\0\0\0\0\0\0\0\0\n', 'a b', '../../etc']) {
    writeFileSync(file, content);
    expect(() => state.owner()).toThrow(UNUSABLE);
    expect(() => state.owner()).toThrow(/holds no id/);
    expect(readFileSync(file, 'utf8')).toBe(content);
  }
  rmSync(file);
  mkdirSync(file); // EISDIR stands for EACCES, EMFILE, EIO
  expect(() => state.owner()).toThrow(/cannot be used \(EISDIR\)/);
  state.close();
});

test('half an owner, of a start that was cut off, is none', () => {
  const state = new StateDirectory(join(directory, 'half'));
  writeFileSync(join(state.path, 'owner.new'), 'ab');
  expect(state.owner()).toMatch(/^[0-9a-f]{12}$/);
  state.close();
});

test('whether it is there still, or another one in its place', () => {
  const state = new StateDirectory(join(directory, 'there'));
  expect(state.exists).toBe(true);
  renameSync(state.path, `${state.path}.moved`);
  expect(state.exists).toBe(false);
  const next = new StateDirectory(state.path);
  expect([state.exists, next.exists]).toEqual([false, true]);
  next.close();
  state.close();
});
