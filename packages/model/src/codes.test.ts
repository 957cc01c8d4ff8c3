import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CODES, codeOfProblem, isCode, slugOf, typeOf } from './codes.ts';

const codes = Object.keys(CODES).filter(isCode);

test('who is to come again is told when', () => {
  for (const code of codes)
    for (const answer of [CODES[code].edge, CODES[code].admin])
      if (answer !== undefined) expect(answer.retryAfter !== undefined, code).toBe(answer.status === 503);
});

test('the type of a problem leads to a heading of the page that explains it', () => {
  const page = readFileSync(new URL('../../../docs/problems.md', import.meta.url), 'utf8');
  const headings = new Set(Array.from(page.matchAll(/^## (.*)$/gm), ([, heading]) => heading));
  for (const code of codes) {
    const { edge, admin } = CODES[code];
    if (edge === undefined && admin === undefined) continue;
    const { pathname, hash } = new URL(typeOf(slugOf(code)));
    expect(pathname).toMatch(/\/docs\/problems\.md$/);
    expect(headings.has(hash.slice(1)), code).toBe(true);
  }
});

test('a problem of the admin API is known again', () => {
  for (const code of codes) {
    const { admin } = CODES[code];
    if (admin === undefined) continue;
    const found = codeOfProblem({ type: typeOf(slugOf(code)), status: admin.status });
    expect(found && [slugOf(found), CODES[found].cliExit]).toEqual([slugOf(code), CODES[code].cliExit]);
  }
  expect(codeOfProblem({ type: 'about:blank', status: 404 })).toBeUndefined();
});
