import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { Admission } from './admission/admission.ts';
import { WaitingRoom } from './admission/waiting-room.ts';
import type { Lease } from './lease.ts';
import { Pool } from './pool.ts';

let clock: FakeClock;
let runtime: FakeRuntime;
let pool: Pool<Revision>;
let told: string[];

function build(scale: { concurrency?: number; maxScale?: number }): void {
  const closing = new AbortController().signal;
  const connections = { close: async () => {}, destroy: () => {} };
  const revision: Revision & typeof scale = {
    service: 'web',
    id: 'web-1',
    spec: { service: 'web', revision: 'web-1', image: 'web-1', port: 80 },
    readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
    idle: { pauseAfterMs: 60_000, stopAfterMs: undefined },
    stopGraceMs: 1_000,
    ...scale,
  };
  const admission = new Admission<Revision>({
    ...{ clock, closing },
    maxStarts: 10,
    maxInstances: 10,
    evict: () => false,
  });
  pool = new Pool<Revision>(
    revision,
    {
      drive: { runtime, clock, connections, closing, probe: runtime.probe, explain: async () => '' },
      ...{ admission, room: new WaitingRoom(100), maxPending: 5 },
    },
    {
      changed: ({ revision: { service } }) => admission.changed(service),
      identified: () => {},
      gone: ({ id }) => told.push(`${id} gone`),
      doubt: () => {},
      tell: ({ type }) => told.push(type),
    },
  );
}

/** Asks for that many leases, and returns those that it gets. */
async function ask(count: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let i = 0; i < count; i++)
    void pool.lease().then(
      (lease) => leases.push(lease),
      () => {},
    );
  await clock.advance(100);
  return leases;
}

const states = () => [...pool.instances].map(({ state }) => state);
const used = () => [...pool.instances].map(({ leases }) => leases);

async function foundRunning(count: number) {
  const found = [];
  for (let i = 0; i < count; i++) {
    const started = runtime.start(pool.revision.spec);
    await clock.advance(100);
    found.push(await started);
  }
  return found;
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  told = [];
});

test('one instance for any number of requests, if the revision says nothing', async () => {
  build({});
  expect(await ask(5)).toHaveLength(5);
  expect(used()).toEqual([5]);
});

test('as many instances as the requests need, each with as many as it takes, and no more than there may be', async () => {
  build({ concurrency: 2, maxScale: 2 });
  const leases = await ask(5);
  expect([leases.length, used(), pool.pending]).toEqual([4, [2, 2], 1]);
  leases[0]?.release();
  await clock.advance(0);
  expect([leases.length, pool.pending]).toEqual([5, 0]);
  for (const lease of leases) lease.release();
  const [one, two] = await ask(2);
  expect(used()).toEqual([1, 1]);
  for (const lease of [one, two]) lease?.release();
});

test('a request goes to another instance than the one that failed a moment ago', async () => {
  build({ concurrency: 2, maxScale: 2 });
  for (const lease of await ask(4)) lease.release();
  const [failed] = await ask(1);
  void failed?.examine();
  await clock.advance(100);
  const next = [pool.tryLease(), pool.tryLease()];
  expect(next.map((lease) => lease?.instanceId)).not.toContain(failed?.instanceId);
});

test('what sleeps is woken before another one is started, the last used first', async () => {
  build({ concurrency: 1, maxScale: 3 });
  const [one, two] = await ask(2);
  one?.release();
  await clock.advance(1_000);
  two?.release();
  await clock.advance(61_000);
  expect(states()).toEqual(['paused', 'paused']);
  const [woken] = await ask(1);
  expect([woken?.instanceId, woken?.activation?.kind]).toEqual([two?.instanceId, 'resume']);
  expect(await ask(2)).toHaveLength(2);
  expect([states(), runtime.started]).toEqual([['ready', 'ready', 'ready'], 3]);
});

test('takes over as many that run as there may be', async () => {
  build({ maxScale: 2 });
  const found = await foundRunning(3);
  expect(found.map((one) => pool.adopt(one))).toEqual([true, true, false]);
  await clock.advance(100);
  expect(states()).toEqual(['ready', 'ready']);
  expect((await ask(4)).map(({ instanceId }) => instanceId).toSorted()).toEqual(['i1', 'i1', 'i2', 'i2']);
});

test('waits are bounded, and end with why there is no instance', async () => {
  build({});
  runtime.behaviour.starts = 'refuse';
  const failures: unknown[] = [];
  for (let i = 0; i < 6; i++) pool.lease().catch((error: unknown) => failures.push(error));
  await clock.advance(100);
  expect(failures).toMatchObject([{ code: 'QUEUE_FULL' }, ...Array(5).fill({ code: 'START_FAILED' })]);
  await expect(pool.lease()).rejects.toMatchObject({ code: 'BACKOFF' });
  expect([pool.empty, states()]).toEqual([false, []]); // it remembers that
});

test('a start that fails while another instance serves fails nobody, and is not tried again at once', async () => {
  build({ concurrency: 1, maxScale: 2 });
  const [first] = await ask(1);
  runtime.behaviour.starts = 'refuse';
  const waiting = await ask(1);
  expect([waiting.length, pool.pending, runtime.started]).toEqual([0, 1, 2]);
  first?.release();
  await clock.advance(0);
  expect([waiting.length, pool.pending, runtime.started]).toEqual([1, 0, 2]);
  waiting[0]?.release();
});

test('one that retires goes when it is not in use, and is empty then', async () => {
  build({});
  const [lease] = await ask(1);
  pool.retire();
  await clock.advance(100);
  expect(states()).toEqual(['ready']);
  lease?.release();
  await clock.advance(100);
  expect([states(), pool.empty, told.at(-1)]).toEqual([[], true, 'i1 gone']);
});
