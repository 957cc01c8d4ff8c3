import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { equalTokens, loadToken, TOKEN_FILE } from './token.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-token-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, TOKEN_FILE);

test('it is made once, for its owner’s eyes only', () => {
  const token = loadToken(directory);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(loadToken(directory)).toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('an empty one lets nobody in', () => {
  writeFileSync(file, '\n');
  expect(() => loadToken(directory)).toThrow(expect.objectContaining({ code: 'ADMIN_TOKEN' }));
  expect(() => loadToken(directory)).toThrow(/holds no token/);
});

test('tokens of any length can be compared', () => {
  expect(equalTokens('abc', 'abc')).toBe(true);
  expect(equalTokens('abc', 'abcd')).toBe(false);
  expect(equalTokens('', 'abc')).toBe(false);
});

test('where none can be written, that is said, and nothing is left', () => {
  const nowhere = join(directory, 'no', 'such', 'folder');
  expect(() => loadToken(nowhere)).toThrow(expect.objectContaining({ code: 'ADMIN_TOKEN' }));
  expect(() => loadToken(nowhere)).toThrow(/no token can be written: ENOENT/);
});
