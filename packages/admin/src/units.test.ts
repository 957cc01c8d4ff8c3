import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatDuration,
  formatMemory,
  formatStatuses,
  parseDuration,
  parseMemory,
  parseStatuses,
} from './units.ts';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
  ['0s', 0],
])('%s is a duration', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '30', 's', '-1s', '1 s', '1d', '1e3s', '١s'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  ['512MiB', 512 * 1024 ** 2],
  ['512m', 512 * 1024 ** 2],
  ['512Mi', 512 * 1024 ** 2],
  ['1.5g', 1.5 * 1024 ** 3],
  ['6291456', 6_291_456],
])('%s is an amount of memory', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test.each(['', 'm', '-1m', '1t', '1 m', '1mm'])('%j is no amount of memory', (text) => {
  expect(parseMemory(text)).toBeUndefined();
});

test.each([
  ['404', 404],
  [404, 404],
  ['200-299', [200, 299]],
  ['200-200', [200, 200]],
  ['299-200', undefined],
  ['99', undefined],
  ['600', undefined],
  ['2xx', undefined],
  ['200-', undefined],
])('%j as statuses', (text, statuses) => {
  expect(parseStatuses(text)).toEqual(statuses);
  if (statuses !== undefined)
    expect(parseStatuses(formatStatuses(parseStatuses(text) ?? 0))).toEqual(statuses);
});

test('what is formatted can be parsed, and is the same', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 45 }), (amount) => {
      expect(parseDuration(formatDuration(amount))).toBe(amount);
      expect(parseMemory(formatMemory(amount))).toBe(amount);
    }),
  );
});
