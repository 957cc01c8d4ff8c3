import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { flagOf, readRevision, revisionFlags, valuesOfFlag } from './revision-flags.ts';

/** Parses these words into the form of the API. */
function read(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = new Command('deploy').exitOverride().configureOutput({ writeErr: () => {} });
  for (const flag of revisionFlags()) command.addOption(flag);
  command.parse([...words], { from: 'user' });
  return readRevision(command.opts(), env);
}

describe('flags', () => {
  test('no two are the same, and each has its help', () => {
    const flags = revisionFlags();
    const longs = flags.map(({ long }) => long);
    expect(new Set(longs).size).toBe(longs.length);
    for (const { long, description } of flags)
      expect([long, description]).toEqual([long, expect.stringMatching(/./)]);
  });

  test('say what a revision is made from, each where the API has it', () => {
    const words = [
      ...['--image', 'web:1', '--port', '9000', '--user', '1000', '--cpus', '0.5', '--memory', '256MiB'],
      ...['--env', 'A=1', '-e', 'HERE', '--secret', 'KEY=x', '--volume', 'data:/data:ro'],
      ...['--ready-path', '/healthz', '--pause-after', '5m', '--network', 'shop_default'],
    ];
    expect(read(words, { HERE: 'here' })).toEqual({
      image: 'web:1',
      port: 9000,
      user: '1000',
      env: { A: '1', HERE: 'here' },
      secrets: { KEY: 'x' },
      volumes: [{ source: 'data', target: '/data', readOnly: true }],
      networks: ['shop_default'],
      limits: { cpus: 0.5, memory: '256MiB' },
      readiness: expect.objectContaining({ path: '/healthz' }),
      idle: { pauseAfter: '5m' },
    });
  });

  test('what is not said is not there', () => {
    expect(read([])).toEqual({});
  });

  test('a variable given by itself comes before one of a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cless-flags-'));
    const file = join(directory, 'vars');
    writeFileSync(file, 'A=file\nB=file\n');
    expect(read(['--env-file', file, '--env', 'A=flag'])).toEqual({ env: { A: 'flag', B: 'file' } });
    rmSync(directory, { recursive: true });
  });

  test('what cannot be read at all is refused here', () => {
    expect(() => read(['--volume', 'nonsense'])).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('--volume') }),
    );
    expect(() => read(['--port', 'eighty'])).toThrow('Allowed is a whole number');
    expect(() => read(['--env', 'NOWHERE'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

test('a field of the API comes from a flag', () => {
  expect(flagOf('image', undefined)).toBe('--image');
  expect(flagOf('limits', 'memory')).toBe('--memory');
  expect(flagOf('env', 'A')).toBe('--env A');
  expect(flagOf('secrets', 'KEY')).toBe('--secret KEY');
  expect(flagOf('nonsense', undefined)).toBeUndefined();
});

test('values are listed where they can be', () => {
  expect(valuesOfFlag('--hardening')).toEqual(expect.arrayContaining(['baseline', 'restricted']));
  expect(valuesOfFlag('--image')).toEqual([]);
  expect(valuesOfFlag(undefined)).toEqual([]);
});
