import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

/*
 * The pages for people name files of the source, which move.
 */

const ROOT = join(import.meta.dirname, '..', '..');
const LEFT_OUT = ['**/node_modules', '**/dist', '.changeset'];
const pages = ts.sys.readDirectory(ROOT, ['.md'], LEFT_OUT);
const sources = ts.sys.readDirectory(ROOT, ['.ts'], LEFT_OUT);

test('every file that a page names is there', () => {
  const missing = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`([\w./-]+\.ts)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !sources.some((source) => source.endsWith(`/${name}`)))
      .map((name) => `${page}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test('every link to a file of ours leads to one', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => {
        const path = join(dirname(page), target);
        return !ts.sys.fileExists(path) && !ts.sys.directoryExists(path);
      })
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});
