import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { Revision } from '../revision.ts';
import { LentInstance } from './lent-instance.ts';

const revision: Revision = {
  service: 'web',
  id: '1',
  spec: undefined,
  readiness: { timeoutMs: 1 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 1,
};
const endpoint = { host: '127.0.0.1', port: 1 };

let low: number;
let returned: number[];
let examination: PromiseWithResolvers<void>;

function lent(size: number, isDraining = false): LentInstance {
  const given = { quota: 1, size, isDraining, instanceId: 'i1', endpoint, activation: undefined };
  return new LentInstance(revision, given, new FakeClock(), {
    examine: () => examination.promise,
    isLow: () => (low += 1),
    returned: ({ load }) => returned.push(load),
  });
}

beforeEach(() => {
  low = 0;
  returned = [];
  examination = Promise.withResolvers();
});

test('gives out as many at once as its quota says, and asks for more before it is empty', () => {
  const instance = lent(4);
  const leases = [1, 2].map(() => instance.lease(undefined, true));
  expect(low).toBe(0);
  leases.push(instance.lease(undefined, true));
  expect([low, instance.available]).toEqual([1, true]);
  leases.push(instance.lease(undefined, true));
  expect([low, instance.available]).toEqual([1, false]);
  instance.resize(8);
  expect(instance.available).toBe(true);
  for (const lease of leases) lease.release();
  expect([instance.load, returned]).toEqual([0, []]);
  for (let i = 0; i < 6; i++) instance.lease(undefined, true);
  expect(low).toBe(2);
});

test('without a limit nobody is asked for more', () => {
  const instance = lent(Number.POSITIVE_INFINITY);
  for (let i = 0; i < 100; i++) instance.lease(undefined, true);
  expect([low, instance.available]).toEqual([0, true]);
});

test('once revoked each end is told where there are only so many, else the last', () => {
  for (const [size, told] of [
    [4, [1, 0]],
    [Number.POSITIVE_INFINITY, [0]],
  ] as const) {
    const instance = lent(size);
    const leases = [instance.lease(undefined, true), instance.lease(undefined, true)];
    expect(instance.revoke()).toMatchObject({ leases: 2 });
    instance.resize(100);
    expect(instance.available).toBe(false);
    for (const lease of leases) lease.release();
    expect(returned.splice(0)).toEqual(told);
  }
});

test('while it is examined it gives out none, and afterwards others are preferred for a while', async () => {
  const instance = lent(4);
  const looked = Promise.all([instance.examine(), instance.examine()]);
  expect([instance.available, instance.isSuspect]).toEqual([false, true]);
  examination.resolve();
  await looked;
  expect([instance.available, instance.isSuspect]).toEqual([true, true]);
});

test('of one that drains only what was promised is given out', () => {
  const instance = lent(1, true);
  expect(instance.available).toBe(false);
  instance.lease(undefined, true).release();
  expect(returned).toEqual([0]);
});
