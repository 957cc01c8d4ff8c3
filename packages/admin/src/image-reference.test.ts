import { IMAGE_REFERENCES, NO_IMAGE_REFERENCES } from '@cless/testkit';
import { expect, test } from 'vitest';
import { IMAGE_REFERENCE } from './image-reference.ts';

test('a reference is what the Docker Engine takes for one', () => {
  expect(IMAGE_REFERENCES.filter((reference) => !IMAGE_REFERENCE.test(reference))).toEqual([]);
  expect(NO_IMAGE_REFERENCES.filter((reference) => IMAGE_REFERENCE.test(reference))).toEqual([]);
});

test('a registry may have an address of IPv6, where the engine is new enough', () => {
  expect(IMAGE_REFERENCE.test('[::1]:5000/x')).toBe(true);
  expect(IMAGE_REFERENCE.test('[::1]')).toBe(false);
});

test('a long one that fails at its end is refused at once', () => {
  for (const part of ['a', 'a-', 'a.', 'a/', 'a:', 'A.', '-'])
    expect(IMAGE_REFERENCE.test(`${part.repeat(250)}!`)).toBe(false);
});
