import { expect, test } from 'vitest';
import { checkHops, endsHere, fewerForwards } from './hops.ts';

const passes = (count: number) => Array.from({ length: count }, () => '1.1 cless').join(', ');

test.each([
  undefined,
  '',
  '1.1 cless',
  passes(4),
  '1.1 cless.example, 1.0 fred (cless), 1.1 other:80 (cless), HTTP/2 notcless, '.repeat(20),
])('%j goes further', (via) => {
  expect(() => checkHops('GET', via)).not.toThrow();
});

test.each([passes(5), passes(50), `1.1 caddy, ${passes(3)}, 1.1 other, 1.1 cless (x),  HTTP/1.0\tcless `])(
  '%j goes in a circle',
  (via) => {
    expect(() => checkHops('GET', via)).toThrow(expect.objectContaining({ code: 'LOOP' }));
  },
);

test('TRACE goes no further', () => {
  expect(() => checkHops('TRACE', undefined)).toThrow(
    expect.objectContaining({ code: 'METHOD_NOT_ALLOWED' }),
  );
});

test.each([
  ['OPTIONS', ['Host', 'a', 'max-forwards', '0'], true],
  ['OPTIONS', ['Max-Forwards', '00'], true],
  ['OPTIONS', ['Max-Forwards', '1'], false],
  ['OPTIONS', ['Max-Forwards', ''], false],
  ['OPTIONS', ['X-A', 'Max-Forwards', 'X-B', '0'], false],
  ['GET', ['Max-Forwards', '0'], false],
])('%s %j ends here: %s', (method, rawHeaders, expected) => {
  expect(endsHere({ method, rawHeaders })).toBe(expected);
});

test.each([
  ['OPTIONS', '3', '2'],
  ['OPTIONS', '0', '0'],
  ['OPTIONS', 'three', 'three'],
  ['OPTIONS', '-1', '-1'],
  ['GET', '3', '3'],
])('%s: %s becomes %s', (method, value, expected) => {
  expect(fewerForwards(method, value)).toBe(expected);
});
