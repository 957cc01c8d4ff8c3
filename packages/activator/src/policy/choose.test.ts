import { expect, test } from 'vitest';
import { type Choosable, choose, chooseAsleep } from './choose.ts';

const instance = (facts: Partial<Choosable> = {}): Choosable => ({
  available: true,
  isSuspect: false,
  load: 0,
  ...facts,
});

test('the least used of those that are available; the first of several', () => {
  const [busy, away, idle, idleToo] = [
    instance({ load: 2 }),
    instance({ available: false }),
    instance({ load: 1 }),
    instance({ load: 1 }),
  ];
  expect(choose([busy, away, idle, idleToo])).toBe(idle);
  expect(choose([away])).toBeUndefined();
  expect(choose([])).toBeUndefined();
});

test('one that has just failed only if there is no other', () => {
  const failed = instance({ isSuspect: true });
  const busy = instance({ load: 9 });
  expect(choose([failed, busy])).toBe(busy);
  expect(choose([busy, failed])).toBe(busy);
  expect(choose([failed])).toBe(failed);
});

test('the one to wake is the one that was used last', () => {
  const [old, recent] = [{ idleSinceMs: 1 }, { idleSinceMs: 2 }];
  expect(chooseAsleep([old, recent])).toBe(recent);
  expect(chooseAsleep([])).toBeUndefined();
});
