import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
  ['0s', 0],
  ['0.6ms', 1],
])('%s is a duration', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '30', 's', '-1s', '1 s', '1d', '1e3s', '١s', '30S', '9999999999999999s', '999999999999999h'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('what is formatted can be parsed, and is the same', () => {
  expect([0, 250, 1_000, 90_000, 7_200_000].map(formatDuration)).toEqual(['0ms', '250ms', '1s', '90s', '2h']);
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 45 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
