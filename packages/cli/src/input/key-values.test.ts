import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvFile, readKeyValues } from './key-values.ts';

test('a value is what stands after the first =, or in the environment', () => {
  const given = ['A=1', 'B=b=c', 'EMPTY=', 'HERE', 'A=2'];
  expect(readKeyValues('--env', given, { HERE: 'from here' })).toEqual({
    A: '2',
    B: 'b=c',
    EMPTY: '',
    HERE: 'from here',
  });
});

test.each([
  ['=1', 'has no name'],
  ['', 'has no name'],
  ['NOWHERE', 'NOWHERE has no value, and the environment has none'],
])('%j is refused', (entry, message) => {
  expect(() => readKeyValues('--secret', [entry], {})).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
  );
});

test('a file has lines of them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cless-env-'));
  const file = join(directory, 'vars');
  writeFileSync(file, '# comment\nONE=1\nTWO="two words"\n\nEMPTY=\n');
  expect(readEnvFile('--env-file', file)).toEqual({ ONE: '1', TWO: 'two words', EMPTY: '' });
  rmSync(directory, { recursive: true });
  expect(() => readEnvFile('--env-file', file)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(file) }),
  );
});
