import { expect, test } from 'vitest';
import { page, prefersHtml } from './page.ts';

test.each([
  [undefined, false],
  ['*/*', false],
  ['text/html', true],
  ['TEXT/HTML; q=0.1', true],
  ['text/html;q=0', false],
  ['text/html;q=0.5, application/json', false],
  ['application/xhtml+xml, application/json', true],
  ['text/html;q=x', false],
])('Accept: %s prefers a page: %s', (accept, expected) => {
  expect(prefersHtml(accept)).toBe(expected);
});

test('what a client has written does not become markup', () => {
  const html = page({ status: 404, title: '<b>', detail: '"&\'' }, '<i>');
  expect(html).toContain('<h1>&#60;b&#62;</h1>');
  expect(html).toContain('&#34;&#38;&#39;');
  expect(html).not.toMatch(/<[bi]>/);
});
