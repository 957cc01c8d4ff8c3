import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { branches, untested } from './untested.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files whose logic is in what they do with others, and the tests that see that. */
const ELSEWHERE: Readonly<Record<string, string>> = {};

test('beside every file with logic stands its test', () => {
  const missing = untested().filter((file) => !(file in ELSEWHERE));
  if (missing.length > 0) console.log(`no test beside:\n${missing.join('\n')}`);
});

test('what is tested elsewhere is still untested here, and tested there', () => {
  const files = untested();
  expect(Object.keys(ELSEWHERE).filter((file) => !files.includes(file))).toEqual([]);
  expect(Object.values(ELSEWHERE).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('branches are what can go one way or another', () => {
  expect(branches('export const a = 1; export function f(): void { g(a); }')).toBe(0);
  expect(branches('if (a && b) c(); else d(e ?? f);')).toBe(3);
  expect(branches('for (const a of b) try { a(); } catch { c ? d : e; }')).toBe(3);
  expect(branches("switch (a) { case 'b': case 'c': break; default: d || e; }")).toBe(3);
});
