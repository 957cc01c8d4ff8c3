import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { Instance } from './instance.ts';

let clock: FakeClock;
let runtime: FakeRuntime;
let instance: Instance<Revision>;
let changes: number;
let unknown: number;

async function start(scale: { concurrency?: number } = {}): Promise<void> {
  const revision: Revision & typeof scale = {
    service: 'web',
    id: 'web-1',
    spec: { service: 'web', revision: 'web-1', image: 'web-1', port: 80 },
    readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
    idle: { pauseAfterMs: 1_000, stopAfterMs: 5_000 },
    stopGraceMs: 1_000,
    ...scale,
  };
  const connections = { close: async () => {}, destroy: () => {} };
  const closing = new AbortController().signal;
  const drive = { runtime, clock, connections, closing, probe: runtime.probe, explain: async () => '' };
  instance = new Instance<Revision>(revision, drive, {
    changed: () => (changes += 1),
    identified: () => {},
    unknown: () => (unknown += 1),
    doubt: () => {},
    tell: () => {},
  });
  const started = instance.start();
  await clock.advance(100);
  await started;
  changes = 0;
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  unknown = 0;
});

test('is not idle while a lease is held; then it is paused, and at last stopped', async () => {
  await start();
  const lease = instance.lease();
  await clock.advance(10_000);
  expect([instance.state, instance.idle, instance.inUse]).toEqual(['ready', false, true]);
  lease.release();
  expect([instance.idle, changes]).toEqual([true, 1]);
  await clock.advance(1_100);
  expect(instance.state).toBe('paused');
  expect(() => instance.lease()).toThrow('no lease on an instance that is paused');
  await clock.advance(4_000);
  expect([instance.state, instance.stopReason, clock.timers]).toEqual(['gone', 'idle', 0]);
});

test('tells of each lease that ends while it is full, else of the last', async () => {
  await start({ concurrency: 3 });
  const leases = [instance.lease(), instance.lease(), instance.lease()];
  expect([instance.available, instance.load]).toEqual([false, 3]);
  expect(() => instance.lease()).toThrow('no lease');
  const told = leases.map((lease) => {
    changes = 0;
    lease.release();
    return changes;
  });
  expect(told).toEqual([1, 0, 1]);
});

test('of a quota it is not known whether it is in use, until it is revoked', async () => {
  await start();
  const lease = instance.lease();
  const told: number[] = [];
  const quota = instance.lend(undefined, ({ id }) => told.push(id));
  lease.release();
  expect([instance.idle, instance.maybeIdle, instance.inUse]).toEqual([false, true, false]);
  await clock.advance(1_100);
  expect([told, instance.state]).toEqual([[quota.id], 'ready']);
  quota.returned({ leases: 1, idleMs: 0 });
  await clock.advance(10_000);
  expect([instance.inUse, instance.state]).toEqual([true, 'ready']);
  quota.returned({ leases: 0, idleMs: 500 });
  await clock.advance(400);
  expect(instance.state).toBe('ready');
  await clock.advance(200);
  expect(instance.state).toBe('paused');
});

test('one that is dismissed gives out no more, and one that is in use and paused by hand is interrupted', async () => {
  await start();
  const lease = instance.lease();
  runtime.pauseByHand(instance.id ?? '');
  const looked = instance.examine();
  expect([instance.available, instance.isSuspect]).toEqual([false, true]);
  await clock.advance(10);
  await looked;
  expect([instance.state, instance.interrupted]).toEqual(['paused', true]);
  lease.release();
  expect(instance.interrupted).toBe(false);
  instance.dismiss();
  expect([instance.dismissed, instance.leaving]).toEqual(['requested', true]);
});

test('one that takes no connections goes when what is open has ended; where nobody knows, those that wait are told', async () => {
  await start();
  runtime.listen(instance.id ?? '', false);
  runtime.setReachable(false);
  void instance.examine();
  await clock.advance(4_000);
  expect([unknown, instance.dismissed]).toEqual([1, undefined]);
  runtime.setReachable(true);
  void instance.examine();
  await clock.advance(4_000);
  expect(instance.dismissed).toBe('unreachable');
});
