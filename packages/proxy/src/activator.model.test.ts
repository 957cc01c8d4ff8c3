import { FakeClock, FakeRuntime } from '@cless/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Activator } from './activator.ts';
import { ConventionSource } from './convention-source.ts';
import { codeOf } from './errors.ts';
import type { InstanceState } from './instance-state.ts';
import type { Lease } from './lease.ts';

/*
 * Random stories of requests, aborts, deaths, outages, slow and failing starts, pauses by hand, retagged images and
 * shutdowns, against the fake runtime and the fake clock. What must hold in each of them is checked after each step
 * and at the end.
 */

const SERVICES = ['a', 'b', 'c'];
const MAX_INSTANCES = 2;
const ON_ITS_WAY_OR_SERVING: readonly InstanceState[] = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'resuming',
];
/** What a request may fail with; anything else is a bug. */
const ALLOWED_CODES = new Set([
  'START_FAILED',
  'NOT_READY',
  'BACKOFF',
  'CAPACITY',
  'ENGINE_UNREACHABLE',
  'QUEUE_FULL',
  'SHUTTING_DOWN',
  'CLIENT_LEFT',
]);

const service = fc.constantFrom(...SERVICES);
const nth = fc.nat({ max: 20 });

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('request' as const), service, holdMs: fc.nat({ max: 3_000 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 20_000 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('die' as const, 'remove' as const, 'pause' as const, 'resume' as const),
      nth,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('examine' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('engine' as const), reachable: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('starts' as const),
      starts: fc.constantFrom(
        'run' as const,
        'run' as const,
        'refuse' as const,
        'exit' as const,
        'never-ready' as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('latency' as const),
      startMs: fc.nat({ max: 5_000 }),
      pauseMs: fc.nat({ max: 500 }),
      stopMs: fc.nat({ max: 5_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retag' as const), service }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Story {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly source = new ConventionSource({
    runtime: this.runtime,
    imageSuffix: '',
    defaults: {
      readiness: { check: { kind: 'http' }, timeoutMs: 2_000 },
      idle: { pauseAfterMs: 500, stopAfterMs: 4_000 },
      stopGraceMs: 1_000,
    },
  });
  readonly activator = new Activator({
    runtime: this.runtime,
    source: this.source,
    clock: this.clock,
    probe: this.runtime.probe,
    connections: { close: async () => {}, destroy: () => {} },
    maxPending: 5,
    maxStarts: 2,
    maxInstances: MAX_INSTANCES,
    onEvent: () => {},
  });
  readonly running = this.activator.run();
  readonly clients: AbortController[] = [];
  readonly leases = new Set<Lease>();
  asked = 0;
  settled = 0;
  images = 0;

  constructor() {
    for (const name of SERVICES) this.runtime.images.set(name, `${name}-0`);
  }

  async take(next: Step): Promise<void> {
    const { runtime } = this;
    switch (next.do) {
      case 'request':
        void this.request(next.service, next.holdMs);
        break;
      case 'wait':
        await this.clock.advance(next.ms);
        break;
      case 'abort':
        this.clients[next.nth % Math.max(1, this.clients.length)]?.abort(
          Object.assign(new Error(), { code: 'CLIENT_LEFT' }),
        );
        break;
      case 'die':
        runtime.die(this.pick(next.nth));
        break;
      case 'remove':
        runtime.remove(this.pick(next.nth));
        break;
      case 'pause':
        runtime.pauseByHand(this.pick(next.nth));
        break;
      case 'resume':
        runtime.resumeByHand(this.pick(next.nth));
        break;
      case 'examine':
        void [...this.leases][next.nth % Math.max(1, this.leases.size)]?.examine();
        break;
      case 'engine':
        runtime.setReachable(next.reachable);
        break;
      case 'starts':
        runtime.behaviour.starts = next.starts;
        break;
      case 'latency':
        Object.assign(runtime.behaviour, {
          startMs: next.startMs,
          pauseMs: next.pauseMs,
          stopMs: next.stopMs,
        });
        break;
      case 'retag':
        runtime.tag(next.service, `${next.service}-${++this.images}`);
        break;
    }
    await this.clock.advance(0);
    this.check();
  }

  async request(name: string, holdMs: number): Promise<void> {
    const client = new AbortController();
    this.clients.push(client);
    this.asked += 1;
    try {
      const served = this.source.known(name) ?? (await this.source.resolve(name));
      const revision = served?.choose();
      if (revision === undefined) throw new Error(`${name} has no image`);
      const lease =
        this.activator.tryLease(revision) ?? (await this.activator.lease(revision, client.signal));
      this.checkLeased(lease);
      this.leases.add(lease);
      this.clock.after(holdMs, () => {
        this.leases.delete(lease);
        lease.release();
      });
    } catch (error) {
      if (!ALLOWED_CODES.has(codeOf(error) ?? '')) throw error;
    } finally {
      this.settled += 1;
    }
  }

  pick(n: number): string {
    const ids = [...this.runtime.instances.keys()];
    return ids[n % Math.max(1, ids.length)] ?? 'none';
  }

  checkLeased({ instanceId }: Lease): void {
    const instance = [...this.activator.instances()].find(({ id }) => id === instanceId);
    // A death may come between the lease and the client's hearing of it, but nothing of our own doing.
    if (instance !== undefined && instance.stopReason === undefined) expect(instance.state).toBe('ready');
  }

  check(): void {
    const perRevision = new Map<string, number>();
    let warm = 0;
    for (const { state, leases, revision, stopReason } of this.activator.instances()) {
      expect(leases).toBeGreaterThanOrEqual(0);
      warm += 1;
      if (ON_ITS_WAY_OR_SERVING.includes(state))
        perRevision.set(revision.id, (perRevision.get(revision.id) ?? 0) + 1);
      // Ours are the pauses and stops; others pause and kill what they like.
      const ours =
        state === 'pausing' ||
        (state === 'stopping' && ['idle', 'capacity', 'retired'].includes(stopReason ?? ''));
      if (ours) expect(leases).toBe(0);
    }
    for (const [id, count] of perRevision) expect([id, count]).toEqual([id, 1]);
    expect(warm).toBeLessThanOrEqual(MAX_INSTANCES);
  }

  /** The world is whole again; left alone, everything comes to rest. */
  async comeToRest(): Promise<void> {
    Object.assign(this.runtime.behaviour, { starts: 'run', startMs: 20, pauseMs: 5, stopMs: 10 });
    this.runtime.setReachable(true);
    await this.clock.advance(200_000);
    expect(this.settled).toBe(this.asked);
    expect(this.leases.size).toBe(0);
    expect([...this.activator.instances()].map(({ state }) => state)).toEqual([]);
    expect([...this.runtime.instances.values()]).toEqual([]);
    expect(this.clock.timers).toBe(0);
    expect(this.activator.pending).toBe(0);

    // And it still works.
    for (const name of SERVICES) await this.take({ do: 'request', service: name, holdMs: 10 });
    await this.clock.advance(1_000);
    expect(this.settled).toBe(this.asked);
  }

  async close(): Promise<void> {
    const closed = this.activator.close({ keep: false });
    await this.clock.advance(200_000);
    await closed;
    await this.running;
    expect(this.settled).toBe(this.asked);
    expect(this.runtime.instances.size).toBe(0);
    expect(this.runtime.watchers).toBe(0);
    expect(this.clock.timers).toBe(0);
  }
}

const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });

test('any story comes to rest, with every request settled once and nothing left', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      const world = new Story();
      for (const next of story) await world.take(next);
      await world.comeToRest();
      await world.close();
    }),
    { numRuns: 400 },
  );
});

test('a shutdown in the middle of any story leaves nothing', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      const world = new Story();
      for (const next of story) await world.take(next);
      world.runtime.setReachable(true);
      await world.close();
    }),
    { numRuns: 300 },
  );
});
