import { Activator, type Lease } from '@cless/activator';
import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeConvention } from '../services/fake-convention.ts';
import { FakeWorker } from './fake-worker.ts';
import { WorkerLink } from './link.ts';

const SECOND = 1_000;

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeConvention;
let activator: Activator<Revision>;
let running: Promise<void>;
let workers: [FakeWorker, FakeWorker];
let stops: string[];

async function build(maxInstances?: number): Promise<void> {
  source = new FakeConvention(runtime);
  stops = [];
  activator = new Activator<Revision>({
    runtime,
    revisions: source,
    clock,
    probe: runtime.probe,
    connections: { close: async () => {}, destroy: () => {} },
    maxPending: 1000,
    maxStarts: 4,
    maxInstances,
    onEvent: (event) => {
      if (event.type === 'stopping') stops.push(`${event.service} ${event.reason}`);
    },
  });
  running = activator.run();
  const surroundings = { clock, activator, source, convention: source };
  workers = [new FakeWorker(clock, () => 1), new FakeWorker(clock, () => 1)];
  for (const { process } of workers) new WorkerLink(process, surroundings);
  await clock.advance(0);
}

const revision = (service?: string) => source.serving(service);

/** Asks a worker for a lease, and lets time pass until it is there. */
async function leased(worker = workers[0], service = 'web'): Promise<Lease> {
  const lease = worker.activator.lease(await revision(service));
  lease.catch(() => {});
  await clock.advance(100);
  return lease;
}

const states = () => [...activator.instances()].map(({ state }) => state);

beforeEach(async () => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  await build();
});

afterEach(async () => {
  for (const worker of workers) worker.die();
  const closed = activator.close({ keep: false });
  await clock.advance(100 * SECOND);
  await closed;
  await running;
  expect(clock.timers).toBe(0);
});

test('a warm request costs no message', async () => {
  (await leased()).release();
  const web = await revision();
  const { sent } = workers[0];
  for (let i = 0; i < 1_000; i++) workers[0].activator.tryLease(web)?.release();
  expect(workers[0].activator.tryLease(web)).toMatchObject({ activation: undefined });
  await clock.advance(SECOND);
  expect(workers[0].sent).toBe(sent);
});

test('a thousand requests at both workers for a cold service: one start', async () => {
  const web = await revision();
  const leases = Array.from({ length: 1_000 }, (_, i) => workers[(i % 2) as 0 | 1].activator.lease(web));
  await clock.advance(100);
  const ids = (await Promise.all(leases)).map(({ instanceId }) => instanceId);
  expect(new Set(ids).size).toBe(1);
  expect(runtime.instances.size).toBe(1);
  expect((await leases[0])?.activation).toMatchObject({ kind: 'cold' });
  for (const lease of leases) (await lease).release();
});

test('nothing is paused while a worker uses it, however long; then the idle time is counted from its end', async () => {
  const lease = await leased();
  (await leased(workers[1])).release();
  await clock.advance(500 * SECOND);
  expect(states()).toEqual(['ready']);
  lease.release();
  await clock.advance(59 * SECOND);
  expect(states()).toEqual(['ready']);
  await clock.advance(2 * SECOND);
  expect(states()).toEqual(['paused']);
});

test('idle time is counted from the last use in whichever worker, though no message tells of it', async () => {
  (await leased()).release();
  (await leased(workers[1])).release();
  await clock.advance(40 * SECOND);
  workers[1].activator.tryLease(await revision())?.release();
  await clock.advance(59 * SECOND);
  expect(states()).toEqual(['ready']);
  await clock.advance(2 * SECOND);
  expect(states()).toEqual(['paused']);
  expect(workers.map((worker) => worker.activator.use())).toEqual([[], []]);
});

test('after the pause a worker asks anew', async () => {
  (await leased()).release();
  await clock.advance(70 * SECOND);
  expect(states()).toEqual(['paused']);
  expect(workers[0].activator.tryLease(await revision())).toBeUndefined();
  const lease = await leased();
  expect(lease.activation).toMatchObject({ kind: 'resume' });
  lease.release();
});

test('steady traffic goes on over revocations', async () => {
  (await leased()).release();
  const web = await revision();
  for (let i = 0; i < 300; i++) {
    const lease = workers[0].activator.tryLease(web) ?? (await leased());
    expect(states()).toEqual(['ready']);
    await clock.advance(SECOND);
    lease.release();
  }
});

test('beside a stream that keeps a revoked quota open, warm requests cost no message again', async () => {
  const stream = await leased();
  await clock.advance(70 * SECOND);
  expect(workers[0].activator.tryLease(await revision())).toBeUndefined();
  (await leased()).release();
  const lease = workers[0].activator.tryLease(await revision());
  expect(lease?.instanceId).toBe(stream.instanceId);
  lease?.release();
  stream.release();
});

test('a revocation that overtakes the promise of a lease does not overtake the lease', async () => {
  // Both messages arrive in a row: the quota, and that it is revoked.
  const web = await revision();
  const asked = workers[0].activator.lease(web);
  while (states()[0] !== 'ready') await clock.advance(0.5);
  const [instance] = activator.instances();
  instance?.revokeQuotas();
  await clock.advance(2);
  const lease = await asked;
  await clock.advance(10);
  expect(instance?.inUse).toBe(true);
  expect(workers[0].activator.tryLease(web)).toBeUndefined();
  lease.release();
  await clock.advance(10);
  expect(instance?.inUse).toBe(false);
});

test('a quota on an instance that is about to go is good for what was promised, and no more', async () => {
  const own = activator.lease(await revision());
  await clock.advance(100);
  const lease = await own;
  const { instance } = lease;
  const told: number[] = [];
  const another = activator.tryLease(await revision());
  instance.dismiss();
  const quota = instance.lend(undefined, ({ id }) => told.push(id));
  expect(quota.isHeld).toBe(false);
  for (const one of [lease, another]) one?.release();
  await clock.advance(SECOND);
  expect(states()).toEqual(['ready']);
  quota.returned({ leases: 0, idleMs: 0 });
  await clock.advance(SECOND);
  expect(states()).toEqual([]);
  expect(told).toEqual([]);
});

test('an instance that is to go gives out no more leases, and goes with the last one', async () => {
  const lease = await leased();
  const web = await revision();
  const [instance] = activator.instances();
  instance?.dismiss();
  await clock.advance(5);
  expect(workers[0].activator.tryLease(web)).toBeUndefined();
  expect(states()).toEqual(['ready']);
  lease.release();
  await clock.advance(SECOND);
  expect(stops).toEqual(['web requested']);
  expect(states()).toEqual([]);
});

test('a revision that serves no longer goes with the last lease, and at once if there is none', async () => {
  const lease = await leased();
  (await leased(workers[1], 'other')).release();
  runtime.tag('web', 'web-2');
  runtime.tag('other', 'other-2');
  await clock.advance(SECOND);
  expect(stops).toEqual(['other retired']);
  lease.release();
  await clock.advance(SECOND);
  expect(stops).toEqual(['other retired', 'web retired']);
});

test('room is made by the one that was used least recently in any worker', async () => {
  await activator.close({ keep: false });
  await running;
  await build(2);
  (await leased(workers[0], 'a')).release();
  (await leased(workers[1], 'b')).release();
  await clock.advance(10 * SECOND);
  workers[0].activator.tryLease(await revision('a'))?.release(); // no message is sent
  await clock.advance(SECOND);
  (await leased(workers[1], 'c')).release();
  expect(stops).toEqual(['b capacity']);
});

test('room is not made by one that is in use; it is when that ends', async () => {
  await activator.close({ keep: false });
  await running;
  await build(1);
  const lease = await leased(workers[0], 'a');
  const waiting = workers[1].activator.lease(await revision('b'));
  await clock.advance(10 * SECOND);
  expect(stops).toEqual([]);
  lease.release();
  await clock.advance(SECOND);
  expect(stops).toEqual(['a capacity']);
  (await waiting).release();
});

test('one that is paused by hand while a worker uses it is woken, and no lease is given out meanwhile', async () => {
  const lease = await leased();
  runtime.pauseByHand(lease.instanceId);
  await clock.advance(SECOND);
  expect(states()).toEqual(['ready']);
  lease.release();
});

test('one that is paused by hand while no worker uses it stays so until a request', async () => {
  (await leased()).release();
  const [instance] = activator.instances();
  runtime.pauseByHand(instance?.id ?? '');
  await clock.advance(SECOND);
  expect(states()).toEqual(['paused']);
  expect(workers[0].activator.tryLease(await revision())).toBeUndefined();
  (await leased()).release();
  expect(states()).toEqual(['ready']);
});

test('one that has died is not leased again: the next request starts another', async () => {
  const lease = await leased();
  runtime.die(lease.instanceId);
  lease.release();
  await clock.advance(5);
  expect(workers[0].activator.tryLease(await revision())).toBeUndefined();
  const another = await leased();
  expect(another.instanceId).not.toBe(lease.instanceId);
  another.release();
});

test('one that does not answer is looked at by the primary; meanwhile no lease is given out here', async () => {
  const lease = await leased();
  const web = await revision();
  const examined = lease.examine();
  expect(workers[0].activator.tryLease(web)).toBeUndefined();
  lease.release();
  await clock.advance(SECOND);
  await examined;
  const again = workers[0].activator.tryLease(web);
  expect(again?.instanceId).toBe(lease.instanceId);
  again?.release();
});

test('a request that does not wake is told that the service sleeps; one in another worker finds it awake', async () => {
  const web = await revision();
  const asleep = workers[0].activator.lease(web, undefined, false).catch((error: unknown) => error);
  await clock.advance(100);
  expect(await asleep).toMatchObject({ code: 'ASLEEP' });
  expect(states()).toEqual([]);

  (await leased(workers[1])).release();
  await clock.advance(30 * SECOND);
  const lease = workers[0].activator.lease(web, undefined, false);
  await clock.advance(100);
  (await lease).release();
  await clock.advance(29 * SECOND);
  expect(states()).toEqual(['ready']);
  await clock.advance(2 * SECOND);
  expect(states()).toEqual(['paused']); // it has not been kept awake
});

test('a client that leaves stops waiting; a lease that comes all the same is given back', async () => {
  const web = await revision();
  for (let afterMs = 0; afterMs < 20; afterMs++) {
    const client = new AbortController();
    const asked = workers[0].activator.lease(web, client.signal).catch((error: unknown) => error);
    await clock.advance(afterMs);
    client.abort(new Error('the client left'));
    const result = await asked;
    if (result instanceof Error) expect(result.message).toBe('the client left');
    else (result as Lease).release();
    await clock.advance(100);
    expect(activator.pending).toBe(0);
    expect(workers[0].activator.use().every(({ leases }) => leases === 0)).toBe(true);
    const [instance] = activator.instances();
    instance?.dismiss();
    await clock.advance(SECOND);
    expect(states()).toEqual([]);
  }
});

test('a worker that dies takes its waits and its leases with it', async () => {
  await leased(workers[0], 'web');
  runtime.behaviour.startMs = 10 * SECOND;
  const waiting = workers[0].activator.lease(await revision('slow')).catch((error: unknown) => error);
  await clock.advance(SECOND);
  expect(activator.pending).toBe(1);
  workers[0].die();
  expect(await waiting).toMatchObject({ code: 'CHANNEL_CLOSED' });
  await clock.advance(SECOND);
  expect(activator.pending).toBe(0);
  await clock.advance(75 * SECOND);
  expect(states()).toEqual(['paused', 'paused']);
});

test('a worker that does not give back what is revoked is ended', async () => {
  await leased();
  workers[0].stuck = true;
  await clock.advance(89 * SECOND);
  expect([workers[0].isAlive, states()]).toEqual([true, ['ready']]);
  await clock.advance(2 * SECOND);
  expect(workers[0].isAlive).toBe(false);
  await clock.advance(60 * SECOND);
  expect(states()).toEqual(['paused']);
});

test('an instance that fails at a worker is looked at: what has moved is found, what takes no connections is replaced', async () => {
  const first = await leased();
  const there = await leased(workers[1]);
  runtime.connect(first.instanceId, false);
  runtime.connect(first.instanceId, true);
  const looked = first.examine();
  await clock.advance(100);
  await looked;
  for (const worker of workers) {
    const moved = await leased(worker);
    expect(moved.instanceId).toBe(first.instanceId);
    expect(moved.endpoint).not.toEqual(first.endpoint);
    moved.release();
  }
  for (const lease of [first, there]) lease.release();

  const closed = await leased();
  runtime.listen(closed.instanceId, false);
  closed.release();
  void closed.examine();
  const held = workers[1].activator.lease(await revision());
  await clock.advance(5 * SECOND);
  expect((await held).instanceId).not.toBe(closed.instanceId);
  (await held).release();
  expect(stops).toEqual(['web unreachable']);
});
