import { expect, test } from 'vitest';
import { maxScale, wantedScale } from './scale.ts';

const idle = { waiting: 0, inUse: 0, isKept: false };

test('one where somebody waits, or it is kept, however many wait', () => {
  expect(wantedScale({}, idle)).toBe(0);
  expect(wantedScale({}, { ...idle, waiting: 100 })).toBe(1);
  expect(wantedScale({}, { ...idle, isKept: true })).toBe(1);
  expect(wantedScale({ maxScale: 5 }, { ...idle, waiting: 100, inUse: 100 })).toBe(1);
});

test('as many as the requests need, and no more than there may be', () => {
  const revision = { concurrency: 10, maxScale: 3 };
  expect(wantedScale(revision, { ...idle, waiting: 1, inUse: 9 })).toBe(1);
  expect(wantedScale(revision, { ...idle, waiting: 2, inUse: 9 })).toBe(2);
  expect(wantedScale(revision, { ...idle, waiting: 100, inUse: 10 })).toBe(3);
});

test('one at a time is what a revision says that says nothing', () => {
  expect(maxScale({})).toBe(1);
  expect(maxScale({ maxScale: 4 })).toBe(4);
});
