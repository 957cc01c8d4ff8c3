import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readImports } from './imports.ts';
import { PAGE, withPictures } from './picture.ts';

test('the pictures in docs/architecture.md are those of the imports (else: npm run picture)', () => {
  const page = readFileSync(PAGE, 'utf8');
  expect(page).toBe(withPictures(page, readImports()));
});

test('an arrow that others imply is in the list, and not in the diagram', () => {
  const proxy = 'packages/proxy/src';
  const page = withPictures(
    readFileSync(PAGE, 'utf8'),
    new Map([
      [`${proxy}/edge/http1.ts`, [`${proxy}/request/head.ts`, `${proxy}/headers/forwarded.ts`]],
      [`${proxy}/request/head.ts`, [`${proxy}/headers/forwarded.ts`]],
      [`${proxy}/headers/forwarded.ts`, []],
    ]),
  );
  expect(page).toContain('    edge --> request\n    request --> headers\n```');
  expect(page).toMatch(/^- \[edge\].*; imports headers, request$/m);
});

test('a page without a place for a picture is refused', () => {
  expect(() => withPictures('# How cLess works\n', new Map())).toThrow('packages: drawn by npm run picture');
});
