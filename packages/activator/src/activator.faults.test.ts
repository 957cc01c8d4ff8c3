import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Activator, type ActivatorOptions, type RuntimeStatus } from './activator.ts';
import type { ActivatorEvent } from './event.ts';
import { FakeRevisions } from './fake-revisions.ts';
import type { Lease } from './lease.ts';

/* What goes wrong behind the activator's back, and how it reacts. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeRevisions;
let activator: Activator<Revision>;
let running: Promise<void>;
let events: (ActivatorEvent | RuntimeStatus)[];

function build(options: Partial<ActivatorOptions<Revision>> = {}): void {
  source = new FakeRevisions(runtime);
  activator = new Activator<Revision>({
    runtime,
    revisions: source,
    clock,
    probe: runtime.probe,
    connections: { close: async () => {}, destroy: () => {} },
    maxPending: 1000,
    maxStarts: 4,
    maxInstances: undefined,
    onEvent: (event) => events.push(event),
    ...options,
  });
  running = activator.run();
}

async function rebuild(options: Partial<ActivatorOptions<Revision>>): Promise<void> {
  await activator.close({ keep: false });
  await running;
  build(options);
  await clock.advance(0);
}

const revision = (service?: string) => source.serving(service);

/** One that neither pauses nor stops. */
async function always(service = 'web'): Promise<Revision> {
  return { ...(await revision(service)), idle: { pauseAfterMs: undefined, stopAfterMs: undefined } };
}

async function leased(of = revision()): Promise<Lease> {
  const lease = activator.lease(await of);
  lease.catch(() => {});
  await clock.advance(100);
  return lease;
}

const states = () => [...activator.instances()].map(({ state }) => state);
const told = (type: string) => events.filter((event) => event.type === type);

beforeEach(async () => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  events = [];
  build();
  await clock.advance(0);
});

afterEach(async () => {
  runtime.setReachable(true);
  const closed = activator.close({ keep: false });
  await clock.advance(MINUTE);
  await closed;
  await running;
  expect(runtime.instances.size).toBe(0);
  expect(clock.timers).toBe(0);
});

describe('a start', () => {
  test('whose first container has to be made anew, as without its network, is one start', async () => {
    runtime.behaviour.starts = 'again';
    const lease = await leased();
    expect([...runtime.instances.keys()]).toEqual([lease.instanceId]);
    expect(told('start-failed')).toEqual([]);
    expect(activator.instance('i1')).toBeUndefined();
    lease.release();
  });

  test('is not ended by a list in which it is not running yet', async () => {
    runtime.behaviour.startMs = 5 * SECOND;
    const lease = activator.lease(await revision());
    for (let i = 0; i < 20; i++) {
      await clock.advance(300);
      runtime.breakEvents();
    }
    expect(runtime.listed).toBeGreaterThan(15);
    (await lease).release();
  });

  test.each([true, false])(
    'of 24, with the events breaking off every 35 ms: none fails (retried: %s)',
    async (again) => {
      runtime.behaviour.starts = again ? 'again' : 'run';
      const leases: Promise<Lease>[] = [];
      for (let i = 0; i < 24; i++) leases.push(activator.lease(await revision(`s${i}`)));
      for (let i = 0; i < 60; i++) {
        await clock.advance(35);
        runtime.breakEvents();
      }
      for (const lease of await Promise.all(leases)) lease.release();
      expect(told('start-failed')).toEqual([]);
      expect(runtime.started).toBe(24);
    },
  );

  test('of an image that is gone has nothing compared, however often it is asked for', async () => {
    runtime.behaviour.starts = 'no-image';
    const { listed } = runtime;
    for (let i = 0; i < 100; i++) {
      await expect(activator.lease(await revision())).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      await clock.advance(250);
    }
    expect(runtime.listed).toBe(listed);
  });

  test('whose end is not told is found by looking', async () => {
    runtime.behaviour.starts = 'never-ready';
    const failed = expect(activator.lease(await revision())).rejects.toMatchObject({
      code: 'START_FAILED',
      exitCode: 3,
    });
    await clock.advance(SECOND);
    await runtime.withoutEvents(() => runtime.die('i1', 3));
    await clock.advance(5 * SECOND);
    await failed;
  });

  test('that somebody pauses by hand is resumed', async () => {
    runtime.behaviour.starts = 'never-ready';
    const lease = activator.lease(await revision());
    await clock.advance(SECOND);
    const instance = runtime.instances.get('i1');
    runtime.pauseByHand('i1');
    if (instance !== undefined) instance.ready = true;
    await clock.advance(SECOND);
    (await lease).release();
    expect(states()).toEqual(['ready']);
  });

  test('is given up at a shutdown, without waiting for the engine', async () => {
    runtime.behaviour.startMs = 120 * SECOND;
    const lease = activator.lease(await revision());
    lease.catch(() => {});
    await clock.advance(SECOND);
    const closed = activator.close({ keep: false });
    await clock.advance(SECOND);
    await closed;
    expect(runtime.instances.size).toBe(0);
    await expect(lease).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  test('whose turn does not come says so', async () => {
    await rebuild({ maxStarts: 1 });
    runtime.behaviour.startMs = 10 * MINUTE;
    const first = activator.lease(await revision());
    first.catch(() => {});
    const second = activator.lease(await revision('other'));
    const refused = expect(second).rejects.toThrow('too many others are being started');
    await clock.advance(6 * MINUTE);
    await refused;
    await clock.advance(10 * MINUTE);
    (await first).release();
  });
});

describe('an instance that runs, and takes no connections', () => {
  test('is replaced after three seconds, while requests are held', async () => {
    const lease = await leased();
    runtime.listen(lease.instanceId, false);
    lease.release();
    void lease.examine();
    const next = activator.lease(await revision());
    await clock.advance(2 * SECOND);
    expect(runtime.started).toBe(1);
    await clock.advance(2 * SECOND);
    expect((await next).instanceId).not.toBe(lease.instanceId);
    expect(told('stopped')).toMatchObject([{ reason: 'unreachable' }]);
    (await next).release();
  });

  test('stays, if it takes some again in time', async () => {
    const lease = await leased();
    runtime.listen(lease.instanceId, false);
    lease.release();
    void lease.examine();
    const next = activator.lease(await revision());
    await clock.advance(2 * SECOND);
    runtime.listen(lease.instanceId, true);
    await clock.advance(SECOND);
    expect((await next).instanceId).toBe(lease.instanceId);
    (await next).release();
  });

  test('keeps what still flows over its open connections, and goes then', async () => {
    const stream = await leased();
    runtime.listen(stream.instanceId, false);
    void stream.examine();
    await clock.advance(10 * SECOND);
    const next = await leased();
    expect(runtime.instances.size).toBe(2);
    stream.release();
    await clock.advance(100);
    expect([...runtime.instances.keys()]).toEqual([next.instanceId]);
    next.release();
  });

  test('that is only slow is not replaced', async () => {
    await rebuild({
      // Its accept queue is full: a single attempt, which is not refused.
      probe: async (endpoint, options) => {
        if (options.timeoutMs > SECOND) return runtime.probe(endpoint, options);
        await new Promise<void>((resolve) => clock.after(options.timeoutMs, resolve));
        throw Object.assign(new Error('no answer'), { code: 'NOT_READY', attempts: 1 });
      },
    });
    const lease = await leased();
    lease.release();
    for (let i = 0; i < 20; i++) {
      void lease.examine();
      await clock.advance(SECOND);
    }
    const next = await leased();
    expect(next.instanceId).toBe(lease.instanceId);
    next.release();
  });

  test('since it died a moment ago, which the engine does not know yet: replaced as soon as it does', async () => {
    const lease = await leased();
    runtime.listen(lease.instanceId, false);
    lease.release();
    void lease.examine();
    const next = activator.lease(await revision());
    await clock.advance(300);
    runtime.die(lease.instanceId, 7);
    await clock.advance(100);
    expect((await next).instanceId).not.toBe(lease.instanceId);
    expect(told('exited')).toMatchObject([{ exitCode: 7 }]);
    (await next).release();
  });

  test('without a network is replaced, also if nobody asks; with another address it is found there', async () => {
    const lease = await leased();
    runtime.connect(lease.instanceId, false);
    runtime.connect(lease.instanceId, true);
    void lease.examine();
    await clock.advance(SECOND);
    const moved = await leased();
    expect(moved.instanceId).toBe(lease.instanceId);
    expect(moved.endpoint).not.toEqual(lease.endpoint);
    runtime.connect(lease.instanceId, false);
    await clock.advance(90 * SECOND);
    expect(runtime.instances.has(lease.instanceId)).toBe(false);
    for (const one of [lease, moved]) one.release();
  });

  test('while the runtime does not answer either: 503, and it is asked again', async () => {
    const lease = await leased();
    runtime.listen(lease.instanceId, false);
    runtime.setReachable(false);
    lease.release();
    void lease.examine();
    const refused = expect(activator.lease(await revision())).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
    });
    await clock.advance(4 * SECOND);
    await refused;
    runtime.listen(lease.instanceId, true);
    runtime.setReachable(true);
    await clock.advance(SECOND);
    (await leased()).release();
    expect(runtime.started).toBe(1);
  });
});

describe('the end of an instance', () => {
  test('is told with its exit code and its last words', async () => {
    const lease = await leased();
    lease.release();
    runtime.runOutOfMemory(lease.instanceId);
    runtime.die(lease.instanceId, 7);
    await clock.advance(100);
    expect(told('out-of-memory')).toMatchObject([{ instance: lease.instanceId }]);
    expect(told('exited')).toMatchObject([{ exitCode: 7, lastLogLines: ['the last line'] }]);
    expect(told('stopped')).toMatchObject([{ reason: 'exited' }]);
  });

  test('when it is idle is that, though the engine says that it is gone before the stop has come back', async () => {
    (await leased()).release();
    await clock.advance(16 * MINUTE);
    expect(told('stopped')).toMatchObject([{ reason: 'idle', durationMs: 10 }]);
    expect(told('exited')).toEqual([]);
  });

  test('is found within a minute and a half, if its event was lost', async () => {
    const lease = await leased();
    await runtime.withoutEvents(() => runtime.die(lease.instanceId));
    await clock.advance(90 * SECOND);
    expect(states()).toEqual([]);
    lease.release();
  });

  test('that never comes holds nobody else: neither the room, nor the exit', async () => {
    await rebuild({ maxInstances: 1 });
    (await leased()).release();
    runtime.behaviour.stopMs = Number.MAX_SAFE_INTEGER;
    const other = activator.lease(await revision('other'));
    await clock.advance(25 * SECOND);
    (await other).release();
    const closed = activator.close({ keep: false });
    await clock.advance(50 * SECOND);
    await closed;
    runtime.instances.clear();
    expect(clock.timers).toBeGreaterThan(0); // the engine's own
    clock = new FakeClock();
  });
});

describe('what never stops', () => {
  test('is started again after its death, sooner after the first than after more', async () => {
    const lease = await leased(always());
    lease.release();
    runtime.die(lease.instanceId);
    await clock.advance(1_100);
    expect(states()).toEqual(['ready']);
    expect(told('restarting')).toHaveLength(1);
    runtime.die([...runtime.instances.keys()][0] ?? '');
    await clock.advance(1_100);
    expect(states()).toEqual([]);
    await clock.advance(SECOND);
    expect(states()).toEqual(['ready']);
    await clock.advance(2 * MINUTE);
    runtime.die([...runtime.instances.keys()][0] ?? '');
    await clock.advance(1_100);
    expect(states()).toEqual(['ready']);
  });

  test('is tried again and again, if it cannot be started', async () => {
    const lease = await leased(always());
    lease.release();
    runtime.behaviour.starts = 'refuse';
    runtime.die(lease.instanceId);
    await clock.advance(10 * MINUTE);
    expect(runtime.started).toBeGreaterThan(8);
    expect(runtime.started).toBeLessThan(20);
    runtime.behaviour.starts = 'run';
    await clock.advance(MINUTE);
    expect(states()).toEqual(['ready']);
  });

  test('stays away when it was stopped by hand, until somebody asks for it', async () => {
    const web = always();
    (await leased(web)).release();
    [...activator.instances()][0]?.dismiss();
    await clock.advance(10 * MINUTE);
    expect(states()).toEqual([]);
    const lease = await leased(web);
    lease.release();
    runtime.die(lease.instanceId);
    await clock.advance(2 * SECOND);
    expect(states()).toEqual(['ready']);
  });

  test('makes room for others only if nothing else does, and then waits to be asked', async () => {
    await rebuild({ maxInstances: 2 });
    (await leased(always('db'))).release();
    (await leased(revision('old'))).release();
    (await leased(revision('new'))).release();
    expect([...activator.instances()].map(({ revision: { service } }) => service)).toEqual(['db', 'new']);
    const inUse = await leased(revision('new'));
    (await leased(revision('other'))).release();
    await clock.advance(10 * SECOND);
    expect([...activator.instances()].map(({ revision: { service } }) => service)).toEqual(['new', 'other']);
    inUse.release();
  });

  test('and is to run unasked is started when it is known what runs, and adopted if it does', async () => {
    const web = await always();
    const kept = {
      revision: async () => web,
      refresh: () => {},
      onRetired: () => {},
      onKept: (listener: (revision: Revision) => void) => listener(web),
    };
    await rebuild({ revisions: kept });
    await clock.advance(100);
    expect(states()).toEqual(['ready']);
    const [id] = runtime.instances.keys();
    await activator.close({ keep: true });
    await running;
    build({ revisions: kept });
    await clock.advance(100);
    expect([...runtime.instances.keys()]).toEqual([id]);
    expect(told('restarting')).toEqual([]);
  });
});
