import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMemory, parseMemory } from './memory.ts';

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

test('what is formatted can be parsed, and is the same', () => {
  expect([0, 1_000, 1024, 512 * 1024 ** 2].map(formatMemory)).toEqual(['0', '1000', '1KiB', '512MiB']);
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 45 }), (bytes) => {
      expect(parseMemory(formatMemory(bytes))).toBe(bytes);
    }),
  );
});
