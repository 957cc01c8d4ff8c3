import { expect, test } from 'vitest';
import { Quota } from './quota.ts';

function build(size: number) {
  const told: number[] = [];
  const returned: [size: number, idleMs: number][] = [];
  const quota = new Quota(
    size,
    ({ id }) => told.push(id),
    (from, idleMs) => returned.push([from.size, idleMs]),
  );
  return { quota, told, returned };
}

test('is revoked once, returns what is not used, and the rest when that ends', () => {
  const { quota, told, returned } = build(10);
  quota.grow(5);
  expect([quota.size, quota.isHeld]).toEqual([15, true]);
  quota.revoke();
  quota.revoke();
  expect(told).toEqual([quota.id]);
  expect([quota.isHeld, quota.isAsked, quota.isDraining]).toEqual([false, true, false]);
  quota.returned({ leases: 2, idleMs: 0 });
  expect([quota.size, quota.isAsked, quota.isDraining]).toEqual([2, false, true]);
  quota.returned({ leases: 0, idleMs: 7 });
  quota.returned({ leases: 0, idleMs: 7 });
  expect([quota.size, quota.isReturned]).toEqual([0, true]);
  expect(returned).toEqual([
    [2, 0],
    [0, 7],
  ]);
});

test('one that drains from the beginning need not be revoked', () => {
  const { quota, told } = build(1);
  quota.drain();
  quota.revoke();
  expect([told, quota.isDraining]).toEqual([[], true]);
});
