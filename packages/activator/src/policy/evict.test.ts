import { expect, test } from 'vitest';
import { chooseToEvict, type Evictable } from './evict.ts';

const instance = (idleSinceMs: number, facts: Partial<Evictable> = {}): Evictable => ({
  idle: true,
  maybeIdle: false,
  idleSinceMs,
  ...facts,
});
const group = (instances: Evictable[], { pending = 0, kept = false } = {}) => ({ instances, pending, kept });

test('the least recently used of those that are idle, or may be', () => {
  const [inUse, newer, older, maybe] = [
    instance(0, { idle: false }),
    instance(3),
    instance(2),
    instance(1, { idle: false, maybeIdle: true }),
  ];
  expect(chooseToEvict([group([inUse, newer]), group([older])])).toBe(older);
  expect(chooseToEvict([group([inUse, newer]), group([older, maybe])])).toBe(maybe);
  expect(chooseToEvict([group([inUse])])).toBeUndefined();
});

test('none that somebody waits for, and one that is kept only if there is no other', () => {
  const [wanted, kept, other] = [instance(1), instance(2), instance(3)];
  const groups = [group([wanted], { pending: 1 }), group([kept], { kept: true })];
  expect(chooseToEvict(groups)).toBe(kept);
  expect(chooseToEvict([...groups, group([other])])).toBe(other);
});
