import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Occupancy } from './occupancy.ts';

test('leases and quotas together are no more than the limit', () => {
  const occupancy = new Occupancy(10, new FakeClock(), () => {});
  occupancy.usage.begin(true);
  expect([occupancy.room, occupancy.load, occupancy.inUse]).toEqual([9, 1, true]);
  const quota = occupancy.lend(true, undefined, () => {});
  occupancy.usage.end(true); // it is the holder's now
  expect([quota.size, occupancy.room, occupancy.inUse, occupancy.isLent]).toEqual([5, 5, false, true]);
  occupancy.refill(quota);
  expect([quota.size, occupancy.room]).toEqual([8, 2]);
  occupancy.usage.begin(true);
  expect(occupancy.lend(true, quota, () => {})).toBe(quota);
  occupancy.usage.end(true);
  expect([quota.size, occupancy.room]).toEqual([9, 1]);
});

test('what is recalled makes room when it is returned', () => {
  let returned = 0;
  const occupancy = new Occupancy(4, new FakeClock(), () => (returned += 1));
  occupancy.usage.begin(true);
  const quota = occupancy.lend(true, undefined, () => {});
  occupancy.usage.end(true);
  expect([occupancy.recall(), quota.isAsked]).toEqual([true, true]);
  quota.returned({ leases: 1, idleMs: 0 });
  expect([occupancy.recall(), occupancy.room, occupancy.inUse, returned]).toEqual([false, 3, true, 1]);
});

test('where no more is to be given out a quota is for one lease, and drains', () => {
  const occupancy = new Occupancy(4, new FakeClock(), () => {});
  occupancy.usage.begin(true);
  const quota = occupancy.lend(false, undefined, () => {});
  expect([quota.size, quota.isDraining]).toEqual([1, true]);
});

test('what is held already does not drain without its holder being told', () => {
  const occupancy = new Occupancy(Number.POSITIVE_INFINITY, new FakeClock(), () => {});
  const told: number[] = [];
  const quota = occupancy.lend(true, undefined, ({ id }) => told.push(id));
  expect(occupancy.lend(false, quota, () => {})).toBe(quota);
  expect(quota.isHeld).toBe(true);
  occupancy.revoke();
  expect(told).toEqual([quota.id]);
});

test('without a limit there is always room, a quota has none either, and there is nothing to recall', () => {
  const occupancy = new Occupancy(Number.POSITIVE_INFINITY, new FakeClock(), () => {});
  const quota = occupancy.lend(true, undefined, () => {});
  occupancy.refill(quota);
  expect([quota.size, occupancy.room, occupancy.load]).toEqual([
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    1,
  ]);
  expect([occupancy.recall(), quota.isHeld]).toEqual([false, true]);
});
