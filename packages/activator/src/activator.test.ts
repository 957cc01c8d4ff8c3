import { getEventListeners } from 'node:events';
import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime, settle } from '@cless/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Activator, type ActivatorOptions } from './activator.ts';
import { FakeRevisions } from './fake-revisions.ts';
import type { Lease } from './lease.ts';

const SECOND = 1_000;

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeRevisions;
let activator: Activator<Revision>;
let running: Promise<void>;
let events: string[];
let closedConnections: string[];
let destroyedConnections: string[];

function build(options: Partial<ActivatorOptions<Revision>> = {}): void {
  source = new FakeRevisions(runtime);
  activator = new Activator<Revision>({
    runtime,
    revisions: source,
    clock,
    probe: runtime.probe,
    connections: {
      close: async (id) => void closedConnections.push(id),
      destroy: (id) => void destroyedConnections.push(id),
    },
    maxPending: 1000,
    maxStarts: 4,
    maxInstances: undefined,
    onEvent: (event) => events.push('service' in event ? `${event.service} ${event.type}` : event.type),
    ...options,
  });
  running = activator.run();
}

/** The same with other options. */
async function rebuild(options: Partial<ActivatorOptions<Revision>>): Promise<void> {
  await activator.close({ keep: false });
  await running;
  build(options);
  await clock.advance(0);
}

const revision = (service?: string) => source.serving(service);

/** Asks for a lease, lets time pass until it is there. */
async function leased(service = 'web'): Promise<Lease> {
  const lease = activator.lease(await revision(service));
  lease.catch(() => {});
  await clock.advance(100);
  return lease;
}

const states = () => [...activator.instances()].map(({ state }) => state);

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  events = [];
  closedConnections = [];
  destroyedConnections = [];
  build();
});

afterEach(async () => {
  runtime.setReachable(true);
  const closed = activator.close({ keep: false });
  await clock.advance(60 * SECOND);
  await closed;
  await running;
  expect(runtime.instances.size).toBe(0);
  expect(runtime.watchers).toBe(0);
  expect(clock.timers).toBe(0);
});

describe('leases', () => {
  test('one start, however many wait; all are served', async () => {
    const web = await revision();
    const leases = Promise.all(Array.from({ length: 200 }, () => activator.lease(web)));
    await clock.advance(100);
    expect(new Set((await leases).map(({ instanceId }) => instanceId)).size).toBe(1);
    expect(runtime.started).toBe(1);
    expect((await leases)[0]?.activation).toEqual({ kind: 'cold', durationMs: 25 });
    for (const lease of await leases) lease.release();
  });

  test('a ready instance is leased at once, without a word of waiting', async () => {
    (await leased()).release();
    const lease = activator.tryLease(await revision());
    expect(lease?.activation).toBeUndefined();
    lease?.release();
    lease?.release(); // a second call has no effect
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['paused']);
  });

  test('a client that leaves stops waiting; the start goes on, for the others and by itself', async () => {
    const web = await revision();
    const first = new AbortController();
    const gone = activator.lease(web, first.signal);
    const stays = activator.lease(web);
    await clock.advance(10);
    first.abort(new Error('the client left'));
    await expect(gone).rejects.toThrow('the client left');
    await clock.advance(100);
    (await stays).release();
    expect(getEventListeners(first.signal, 'abort')).toEqual([]);
    expect(runtime.started).toBe(1);
  });

  test('a client that leaves in the very moment of its lease does not keep it', async () => {
    const web = await revision();
    const client = new AbortController();
    const settled = activator.lease(web, client.signal).then(
      (held) => held.release(),
      () => {},
    );
    clock.after(25, () => client.abort(new Error('the client left')));
    await clock.advance(25);
    await settled;
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['paused']);
  });

  test('so many may wait for one revision, and ten times that for all', async () => {
    await rebuild({ maxPending: 2 });
    const web = await revision();
    const waiting = [activator.lease(web), activator.lease(web)];
    await expect(activator.lease(web)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    const others = [];
    for (let i = 0; i < 9; i++) {
      const other = await revision(`other${i}`);
      others.push(activator.lease(other), activator.lease(other));
    }
    await expect(activator.lease(await revision('last'))).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await clock.advance(SECOND);
    for (const lease of await Promise.all([...waiting, ...others])) lease.release();
    (await leased('last')).release();
  });
});

describe('failed starts', () => {
  test.each([
    ['refuse', 'START_FAILED', 5],
    ['exit', 'START_FAILED', 25],
    ['never-ready', 'NOT_READY', 30_025],
  ] as const)('%s: all that wait fail, then it rests', async (starts, code, afterMs) => {
    runtime.behaviour.starts = starts;
    const web = await revision();
    const waiting = [activator.lease(web), activator.lease(web)];
    for (const lease of waiting) lease.catch(() => {});
    await clock.advance(afterMs);
    for (const lease of waiting) await expect(lease).rejects.toMatchObject({ code });
    await expect(activator.lease(web)).rejects.toMatchObject({ code: 'BACKOFF', retryAfterMs: 1000 });
    await clock.advance(500);
    expect(runtime.instances.size).toBe(0);
    expect(events).toContain('web start-failed');
  });

  test('it rests 1, 2, 4 … 60 s, and a good start forgets it', async () => {
    runtime.behaviour.starts = 'refuse';
    const web = await revision();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const lease = activator.lease(web);
      lease.catch(() => {});
      await clock.advance(10);
      await expect(lease).rejects.toMatchObject({ code: 'START_FAILED' });
      await expect(activator.lease(web)).rejects.toMatchObject({
        code: 'BACKOFF',
        retryAfterMs: seconds * SECOND - 5,
      });
      await clock.advance(seconds * SECOND);
    }
    runtime.behaviour.starts = 'run';
    const lease = await leased();
    lease.release();
    runtime.die(lease.instanceId);
    await clock.advance(100);
    runtime.behaviour.starts = 'refuse';
    await expect(leased()).rejects.toMatchObject({ code: 'START_FAILED' });
    await expect(activator.lease(web)).rejects.toMatchObject({
      code: 'BACKOFF',
      retryAfterMs: expect.closeTo(905, 0),
    });
  });

  test('a changed definition is tried at once', async () => {
    runtime.behaviour.starts = 'refuse';
    await expect(leased()).rejects.toMatchObject({ code: 'START_FAILED' });
    runtime.behaviour.starts = 'run';
    runtime.tag('web', 'web-2');
    await clock.advance(1);
    (await leased()).release();
  });

  test('a death after ready is no failed start', async () => {
    const lease = await leased();
    runtime.die(lease.instanceId);
    lease.release();
    await clock.advance(100);
    (await leased()).release();
    expect(runtime.started).toBe(2);
  });
});

describe('idleness', () => {
  test('first paused, then stopped; the clock starts when the last lease ends', async () => {
    const [one, two] = [await leased(), await leased()];
    await clock.advance(600 * SECOND);
    one.release();
    await clock.advance(600 * SECOND);
    expect(states()).toEqual(['ready']);
    two.release();
    await clock.advance(60 * SECOND + 10);
    expect(states()).toEqual(['paused']);
    expect(closedConnections).toEqual(['i1']);
    await clock.advance(840 * SECOND);
    expect(states()).toEqual([]);
    expect(runtime.instances.size).toBe(0);
  });

  test('a request for a paused instance resumes it', async () => {
    (await leased()).release();
    await clock.advance(61 * SECOND);
    const lease = await leased();
    expect(lease.activation).toEqual({ kind: 'resume', durationMs: 5 });
    expect(runtime.started).toBe(1);
    lease.release();
  });

  test('a request while it is being paused waits and resumes it', async () => {
    (await leased()).release();
    await clock.advance(60 * SECOND + 2);
    expect(states()).toEqual(['pausing']);
    const lease = await leased();
    expect(lease.activation?.kind).toBe('resume');
    expect(runtime.started).toBe(1);
    lease.release();
  });

  test('a request while it is being stopped starts a new one', async () => {
    runtime.behaviour.stopMs = 5 * SECOND;
    (await leased()).release();
    await clock.advance(900 * SECOND);
    expect(states()).toEqual(['stopping']);
    const lease = await leased();
    expect(runtime.started).toBe(2);
    expect(states()).toEqual(['stopping', 'ready']);
    lease.release();
  });

  test('never is never', async () => {
    const web = await revision();
    const forever = { ...web, id: 'forever', idle: { pauseAfterMs: undefined, stopAfterMs: undefined } };
    const lease = activator.lease(forever);
    await clock.advance(100);
    (await lease).release();
    await clock.advance(1e9);
    expect(states()).toEqual(['ready']);
  });

  test('a runtime that cannot pause goes straight to stop', async () => {
    await activator.close({ keep: false });
    await running;
    runtime = new FakeRuntime(clock, { pause: false });
    build();
    await settle();
    (await leased()).release();
    await clock.advance(800 * SECOND);
    expect(states()).toEqual(['ready']);
    await clock.advance(101 * SECOND);
    expect(states()).toEqual([]);
  });

  test('a start that nobody waited for is not what a later request has waited for', async () => {
    const client = new AbortController();
    const lease = activator.lease(await revision(), client.signal);
    lease.catch(() => {});
    await clock.advance(1);
    client.abort(new Error('the client left'));
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['paused']);
    const resumed = await leased();
    expect(resumed.activation).toMatchObject({ kind: 'resume' });
    resumed.release();
  });

  test('a pause that fails is tried again later, and loses nothing', async () => {
    (await leased()).release();
    runtime.setReachable(false);
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['ready']);
    runtime.setReachable(true);
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['paused']);
  });
});

describe('requests that do not keep awake', () => {
  test('do not start the idle clock anew, but nothing is paused under them', async () => {
    (await leased()).release();
    const web = await revision();
    await clock.advance(59 * SECOND);
    const quiet = activator.tryLease(web, false);
    await clock.advance(5 * SECOND);
    expect(states()).toEqual(['ready']);
    quiet?.release();
    await clock.advance(10);
    expect(states()).toEqual(['paused']);
    expect(activator.tryLease(web, false)).toBeUndefined();
    expect(states()).toEqual(['paused']);
  });

  test('the clock starts at the end of the last one that does, whoever else is still there', async () => {
    const waking = await leased();
    const quiet = activator.tryLease(await revision(), false);
    await clock.advance(10 * SECOND);
    waking.release();
    await clock.advance(40 * SECOND);
    quiet?.release();
    await clock.advance(19 * SECOND);
    expect(states()).toEqual(['ready']);
    await clock.advance(1 * SECOND + 10);
    expect(states()).toEqual(['paused']);
  });
});

describe('a stop that somebody asks for', () => {
  const only = () => [...activator.instances()][0];

  test('waits until nobody uses it; others get a new instance meanwhile', async () => {
    const stream = await leased();
    only()?.dismiss();
    await clock.advance(60 * 60 * SECOND);
    expect(states()).toEqual(['ready']);
    expect(activator.tryLease(await revision())).toBeUndefined();

    const next = await leased();
    expect(next.instanceId).not.toBe(stream.instanceId);
    stream.release();
    await clock.advance(100);
    expect(states()).toEqual(['ready']);
    expect([...runtime.instances.keys()]).toEqual([next.instanceId]);
    next.release();
  });

  test('stops at once what is idle, paused or starting', async () => {
    (await leased()).release();
    only()?.dismiss();
    await clock.advance(100);
    expect(states()).toEqual([]);

    (await leased()).release();
    await clock.advance(61 * SECOND);
    expect(states()).toEqual(['paused']);
    only()?.dismiss();
    await clock.advance(100);
    expect(states()).toEqual([]);

    runtime.behaviour.starts = 'never-ready';
    const waiting = activator.lease(await revision());
    await clock.advance(30);
    runtime.behaviour.starts = 'run';
    const [first] = runtime.instances.keys();
    only()?.dismiss();
    await clock.advance(100);
    expect(states()).toEqual(['ready']);
    expect([...runtime.instances.keys()]).not.toContain(first);
    (await waiting).release(); // the waiting request gets the next one
  });
});

describe('what happens behind its back', () => {
  test('a death while idle: removed, and the next request starts anew', async () => {
    const lease = await leased();
    lease.release();
    runtime.die(lease.instanceId);
    await clock.advance(100);
    expect(runtime.instances.size).toBe(0);
    expect(destroyedConnections).toEqual([lease.instanceId]);
    (await leased()).release();
    expect(runtime.started).toBe(2);
  });

  test('a lease that ends after its instance has died does not hide the next instance', async () => {
    const lease = await leased();
    runtime.die(lease.instanceId);
    await clock.advance(100);
    const another = await leased();
    lease.release();
    expect(states()).toEqual(['ready']);
    const more = await leased();
    expect(more.instanceId).toBe(another.instanceId);
    expect(runtime.started).toBe(2);
    for (const one of [another, more]) one.release();
  });

  test('a removal by force while paused', async () => {
    const lease = await leased();
    lease.release();
    await clock.advance(61 * SECOND);
    runtime.remove(lease.instanceId);
    await clock.advance(100);
    expect(states()).toEqual([]);
    (await leased()).release();
  });

  test('a death while it is being resumed starts a new one for those that wait', async () => {
    const first = await leased();
    first.release();
    await clock.advance(61 * SECOND);
    const lease = activator.lease(await revision());
    await clock.advance(2);
    runtime.die(first.instanceId);
    await clock.advance(100);
    expect((await lease).instanceId).not.toBe(first.instanceId);
    (await lease).release();
  });

  test('a pause by hand is no death: with a lease open it is resumed, else at the next request', async () => {
    const lease = await leased();
    runtime.pauseByHand(lease.instanceId);
    await clock.advance(100);
    expect(runtime.instances.get(lease.instanceId)?.state).toBe('running');
    lease.release();
    runtime.pauseByHand(lease.instanceId);
    await clock.advance(100);
    expect(states()).toEqual(['paused']);
    const next = await leased();
    expect(next.instanceId).toBe(lease.instanceId);
    next.release();
  });

  test('one that was paused by hand in use, just when the engine went away, is woken when it is back', async () => {
    const lease = await leased();
    runtime.pauseByHand(lease.instanceId);
    runtime.behaviour.reachable = false; // the wake-up fails, again and again, but not without a rest
    await clock.advance(10 * SECOND);
    expect(states()).not.toContain('stopping');
    runtime.behaviour.reachable = true;
    await clock.advance(40 * SECOND);
    expect(runtime.instances.get(lease.instanceId)?.state).toBe('running');
    lease.release();
  });

  test('an unpause by hand makes it ready and restarts its idle clock', async () => {
    const lease = await leased();
    lease.release();
    await clock.advance(61 * SECOND);
    runtime.resumeByHand(lease.instanceId);
    await clock.advance(59 * SECOND);
    expect(states()).toEqual(['ready']);
    await clock.advance(2 * SECOND);
    expect(states()).toEqual(['paused']);
  });

  test('what failed to answer is looked at before the next lease', async () => {
    const lease = await leased();
    runtime.setReachable(false);
    runtime.die(lease.instanceId); // and no event reports it
    runtime.behaviour.reachable = true;
    const looked = lease.examine();
    lease.release();
    await looked;
    const next = await leased();
    expect(next.instanceId).not.toBe(lease.instanceId);
    next.release();
  });

  test('deaths during an outage are found when the engine is back', async () => {
    const lease = await leased();
    lease.release();
    runtime.setReachable(false);
    runtime.remove(lease.instanceId);
    await clock.advance(SECOND);
    runtime.setReachable(true);
    await clock.advance(SECOND);
    expect(states()).toEqual([]);
  });

  test('a revision that gets traffic again after it has retired stays', async () => {
    const held = await leased();
    const web = await revision();
    runtime.tag('web', 'web-2');
    await clock.advance(10);
    runtime.tag('web', 'web-1');
    await clock.advance(10);
    const again = activator.tryLease(web);
    expect(again?.instanceId).toBe(held.instanceId);
    held.release();
    again?.release();
    await clock.advance(10);
    expect(states()).toEqual(['ready']);
  });

  test('a retagged image is a new revision; the old instance drains', async () => {
    const old = await leased();
    runtime.tag('web', 'web-2');
    await clock.advance(100);
    const next = await leased();
    expect(next.instanceId).not.toBe(old.instanceId);
    expect(states()).toEqual(['ready', 'ready']);
    old.release();
    await clock.advance(100);
    expect([...runtime.instances.keys()]).toEqual([next.instanceId]);
    next.release();
  });
});

describe('the engine', () => {
  test('away at first: refused at once, and it recovers by itself', async () => {
    await activator.close({ keep: false });
    await running;
    runtime.setReachable(false);
    build();
    await settle();
    runtime.behaviour.reachable = true;
    const web = await revision();
    runtime.behaviour.reachable = false;
    await expect(activator.lease(web)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
    expect(events).toContain('runtime-lost');
    runtime.setReachable(true);
    await clock.advance(10);
    (await leased()).release();
  });

  test('away later: a start fails with it, and no back-off follows', async () => {
    const web = await revision();
    await settle();
    runtime.setReachable(false);
    await expect(activator.lease(web)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
    runtime.setReachable(true);
    await clock.advance(10);
    (await leased()).release();
  });

  test('away in the middle of a start: what it may have left is removed', async () => {
    const web = await revision();
    const lease = activator.lease(web);
    lease.catch(() => {});
    await clock.advance(10);
    runtime.setReachable(false);
    await clock.advance(100);
    await expect(lease).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
    expect(runtime.instances.size).toBe(1);
    runtime.setReachable(true);
    await clock.advance(60 * SECOND);
    expect(runtime.instances.size).toBe(0);
  });
});

describe('an engine that is back', () => {
  test('after a long time: what it left is removed soon, though the same revision is just being started', async () => {
    const web = await revision();
    runtime.behaviour.answersLate = true;
    activator.lease(web).catch(() => {});
    await clock.advance(10);
    runtime.behaviour.answersLate = false;
    runtime.setReachable(false);
    await clock.advance(300 * SECOND);
    const left = [...runtime.instances.keys()];
    expect(left).toHaveLength(1);
    runtime.setReachable(true);
    const asked = activator.lease(web);
    await settle();
    await clock.advance(5 * SECOND);
    const lease = await asked;
    expect(left).not.toContain(lease.instanceId);
    expect([...runtime.instances.keys()]).toEqual([lease.instanceId]);
    lease.release();
  });
});

describe('a successor', () => {
  const spec = { service: 'web', revision: 'web-1', image: 'web-1', port: 8080 };

  async function succeed(...found: { state: 'running' | 'paused'; spec: typeof spec }[]): Promise<void> {
    await succeedWith({}, ...found);
  }

  async function succeedWith(
    options: Partial<ActivatorOptions<Revision>>,
    ...found: { state: 'running' | 'paused'; spec: typeof spec }[]
  ): Promise<void> {
    await activator.close({ keep: true });
    await running;
    runtime.images.set('web', 'web-1');
    for (const one of found) {
      const started = runtime.start(one.spec);
      await clock.advance(100);
      if (one.state === 'paused') runtime.pauseByHand((await started).id);
    }
    runtime.started = 0;
    build(options);
  }

  test.each(['running', 'paused'] as const)(
    'adopts what matches and is %s; requests meanwhile are held',
    async (state) => {
      await succeed({ state, spec });
      const lease = activator.lease(await revision());
      await clock.advance(100);
      expect((await lease).instanceId).toBe('i1');
      expect(runtime.started).toBe(0);
      (await lease).release();
    },
  );

  test('removes what does not match, and what there is too much of', async () => {
    const other = { ...spec, revision: 'web-0' };
    const gone = { ...spec, service: 'gone' };
    await succeed(
      { state: 'running', spec },
      { state: 'running', spec },
      { state: 'paused', spec: other },
      { state: 'running', spec: gone },
    );
    await clock.advance(SECOND);
    expect([...runtime.instances.keys()]).toEqual(['i1']);
  });

  test('adopts no more than there is room for', async () => {
    runtime.images.set('other', 'other-1');
    const other = { service: 'other', revision: 'other-1', image: 'other-1', port: 8080 };
    await succeedWith({ maxInstances: 1 }, { state: 'running', spec }, { state: 'running', spec: other });
    await clock.advance(SECOND);
    expect([...runtime.instances.keys()]).toEqual(['i1']);
  });

  test('with keep nothing is stopped', async () => {
    const lease = await leased();
    lease.release();
    await activator.close({ keep: true });
    await running;
    expect(runtime.instances.size).toBe(1);
    expect(clock.timers).toBe(0);
    build();
    await clock.advance(100);
    expect(events).toContain('web adopted');
  });
});

describe('many services', () => {
  test('a storm of thirty: four start at a time, all get their turn', async () => {
    const leases: Promise<Lease>[] = [];
    for (let i = 0; i < 30; i++) leases.push(activator.lease(await revision(`storm${i}`)));
    let most = 0;
    for (let i = 0; i < 300; i++) {
      await clock.advance(1);
      most = Math.max(most, states().filter((state) => state === 'starting').length);
    }
    expect(most).toBe(4);
    for (const lease of await Promise.all(leases)) lease.release();
    expect(runtime.started).toBe(30);
  });

  test('the least recently used idle one makes room, never one in use', async () => {
    await rebuild({ maxInstances: 3 });
    const inUse = await leased('in-use');
    const older = await leased('older');
    older.release();
    const newer = await leased('newer');
    newer.release();
    const fourth = await leased('fourth');
    expect([...runtime.instances.keys()]).toEqual([inUse.instanceId, newer.instanceId, fourth.instanceId]);

    const [again, fifth] = [await leased('newer'), activator.lease(await revision('fifth'))];
    fifth.catch(() => {});
    await clock.advance(10 * SECOND);
    fourth.release(); // room at last
    await clock.advance(100);
    (await fifth).release();
    again.release();
    inUse.release();
  });

  test('no room within the bound: CAPACITY, and no back-off', async () => {
    await rebuild({ maxInstances: 1 });
    const inUse = await leased('in-use');
    const refused = activator.lease(await revision('other'));
    refused.catch(() => {});
    await clock.advance(31 * SECOND);
    await expect(refused).rejects.toMatchObject({ code: 'CAPACITY' });
    inUse.release();
    (await leased('other')).release();
  });
});
