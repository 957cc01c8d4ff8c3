import { type Clock, codeOf, type Revision } from '@cless/model';
import { FakeClock, FakeRuntime, fuzzRuns, fuzzSeed, seededRandom } from '@cless/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Activator } from '../activator.ts';
import { FakeRevisions } from '../fake-revisions.ts';
import type { InstanceState } from '../instance/state.ts';
import type { Lease, LeaseGiver } from '../lease.ts';
import type { Revisions, Revision as Scaled } from '../revision.ts';

/*
 * Random stories of requests, aborts, deaths, outages, slow and failing starts, pauses by hand, retagged images, closed
 * ports, networks and images that are gone, lost events, answers that come too late, other owners and shutdowns, against
 * the fake runtime and the fake clock. What must hold in each of them is checked after each step
 * and at the end: with requests in the process of the activator, and in workers, which die, too.
 */

/** Gives out leases for the activator, as a worker does. */
export interface StoryWorker {
  readonly giver: LeaseGiver;
  /** The open leases that the story holds. */
  readonly leases: Set<Lease>;
  /** How many instances it has leases of, or may give out leases of. */
  readonly instances: number;
  /** Ends the worker with its connections, and so with its leases. */
  die(): void;
}

/** The options in which stories differ. */
export interface StoryOptions {
  /** How many processes accept requests besides the activator's. Default: none. */
  readonly workers?: number;
  /** Creates a worker. */
  readonly fork?: ForkWorker;
  /** How many instances of all revisions there may be. */
  readonly maxInstances?: number;
  /** The concurrency and scale of each revision. */
  readonly scale?: Pick<Scaled, 'concurrency' | 'maxScale'>;
}

/** Creates a worker. */
export type ForkWorker = (
  world: {
    readonly clock: Clock;
    readonly activator: Activator<Revision>;
    readonly source: Pick<Revisions<Revision>, 'revision'>;
  },
  latencyMs: () => number,
) => StoryWorker;

const SERVICES = ['a', 'b', 'c'];
const ON_ITS_WAY_OR_SERVING: readonly InstanceState[] = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'resuming',
];
/** The codes a request may fail with; any other is a bug. */
const ALLOWED_CODES = new Set([
  'START_FAILED',
  'NOT_READY',
  'BACKOFF',
  'CAPACITY',
  'ENGINE_UNREACHABLE',
  'QUEUE_FULL',
  'SHUTTING_DOWN',
  'CLIENT_LEFT',
  'CHANNEL_CLOSED',
  'IMAGE_NOT_FOUND',
  'ASLEEP',
]);

const service = fc.constantFrom(...SERVICES);
const nth = fc.nat({ max: 20 });

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      service,
      holdMs: fc.nat({ max: 3_000 }),
      nth,
      keepsAwake: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
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
        'again' as const,
        'no-image' as const,
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('worker-dies' as const), nth }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('die-unheard' as const, 'out-of-memory' as const, 'somebody-else' as const),
      nth,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('port' as const, 'network' as const),
      nth,
      there: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const), late: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('events-break' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One story. */
class Story {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly source: FakeRevisions;
  readonly activator: Activator<Revision>;
  readonly running: Promise<void>;
  readonly #maxInstances: number;
  readonly #scale: Required<NonNullable<StoryOptions['scale']>>;
  readonly clients: AbortController[] = [];
  readonly workers: StoryWorker[];
  readonly #fork: () => StoryWorker;
  readonly #own = new Set<Lease>();
  readonly #pausedByHand = new Set<string>();
  #wasUnreachable = false;
  #wasLate = false;
  asked = 0;
  settled = 0;
  images = 0;

  constructor(options: StoryOptions, seed = 1) {
    const { workers = 0, fork = noWorkers, maxInstances = 2, scale } = options;
    const { clock, runtime } = this;
    this.#maxInstances = maxInstances;
    this.#scale = { concurrency: scale?.concurrency, maxScale: scale?.maxScale };
    this.source = new FakeRevisions(runtime, {
      readiness: { check: { kind: 'http' }, timeoutMs: 2_000 },
      idle: { pauseAfterMs: 500, stopAfterMs: 4_000 },
      stopGraceMs: 1_000,
      ...scale,
    });
    this.activator = new Activator<Revision>({
      ...{ runtime, clock, maxInstances },
      revisions: this.source,
      probe: runtime.probe,
      maxPending: 5,
      maxStarts: 2,
    });
    this.running = this.activator.run();
    for (const name of SERVICES) runtime.images.set(name, `${name}-0`);
    const random = seededRandom(seed);
    this.#fork = () => fork(this, () => Math.floor(random() * 3));
    this.workers = Array.from({ length: workers }, this.#fork);
  }

  /** All open leases. */
  get leases(): Lease[] {
    return [this.#own, ...this.workers.map(({ leases }) => leases)].flatMap((leases) => [...leases]);
  }

  async take(next: Step): Promise<void> {
    const { runtime } = this;
    switch (next.do) {
      case 'request':
        void this.request(next);
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
        this.#pausedByHand.add(this.pick(next.nth));
        runtime.pauseByHand(this.pick(next.nth));
        break;
      case 'resume':
        runtime.resumeByHand(this.pick(next.nth));
        break;
      case 'examine':
        void this.leases[next.nth % Math.max(1, this.leases.length)]?.examine();
        break;
      case 'engine':
        this.#wasUnreachable ||= !next.reachable;
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
      case 'die-unheard':
        await runtime.withoutEvents(() => runtime.die(this.pick(next.nth)));
        break;
      case 'out-of-memory':
        runtime.runOutOfMemory(this.pick(next.nth));
        break;
      case 'somebody-else':
        runtime.others.add(`other${next.nth}`);
        runtime.runOutOfMemory(`other${next.nth}`);
        break;
      case 'port':
        runtime.listen(this.pick(next.nth), next.there);
        break;
      case 'network':
        runtime.connect(this.pick(next.nth), next.there);
        break;
      case 'late':
        this.#wasLate ||= next.late;
        runtime.behaviour.answersLate = next.late;
        break;
      case 'events-break':
        runtime.breakEvents();
        break;
      case 'worker-dies': {
        const at = next.nth % Math.max(1, this.workers.length);
        this.workers[at]?.die();
        if (this.workers.length > 0) this.workers[at] = this.#fork();
        break;
      }
    }
    await this.clock.advance(0);
    this.check();
  }

  async request({
    service: name,
    holdMs,
    nth: n,
    keepsAwake,
  }: Extract<Step, { do: 'request' }>): Promise<void> {
    const client = new AbortController();
    this.clients.push(client);
    this.asked += 1;
    const worker = this.workers[n % Math.max(1, this.workers.length)];
    const giver: LeaseGiver = worker?.giver ?? this.activator;
    const leases = worker?.leases ?? this.#own;
    try {
      const revision = await this.source.serving(name);
      const lease =
        giver.tryLease(revision, keepsAwake) ?? (await giver.lease(revision, client.signal, keepsAwake));
      if (worker !== undefined && !this.workers.includes(worker)) return; // it has died in between
      this.checkLeased(lease);
      leases.add(lease);
      this.clock.after(holdMs, () => {
        leases.delete(lease);
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
    // An instance may die before the client gets its lease, or be paused by hand before a worker hears of it, but we
    // must not have caused it.
    const byHand = this.workers.length > 0 && this.#pausedByHand.has(instanceId);
    if (instance !== undefined && instance.stopReason === undefined && !byHand)
      expect(instance.state).toBe('ready');
  }

  check(): void {
    const perRevision = new Map<string, number>();
    let warm = 0;
    const inUse = new Set(this.leases.map(({ instanceId }) => instanceId));
    for (const instance of this.activator.instances()) {
      const { id, state, leases, revision, stopReason, overdue, dismissed } = instance;
      expect(leases).toBeGreaterThanOrEqual(0);
      if (!overdue) warm += 1;
      if (ON_ITS_WAY_OR_SERVING.includes(state) && dismissed === undefined)
        perRevision.set(revision.id, (perRevision.get(revision.id) ?? 0) + 1);
      // Pauses and stops must be ours; others may pause and kill anything.
      const ours =
        state === 'pausing' ||
        (state === 'stopping' && ['idle', 'capacity', 'retired'].includes(stopReason ?? ''));
      if (ours) expect([leases, inUse.has(id ?? '')]).toEqual([0, false]);
    }
    const { concurrency = Number.POSITIVE_INFINITY, maxScale = 1 } = this.#scale;
    for (const [id, count] of perRevision) expect([id, count, count <= maxScale]).toEqual([id, count, true]);
    for (const id of inUse) {
      const open = this.leases.filter(({ instanceId }) => instanceId === id).length;
      expect([id, open, open <= concurrency]).toEqual([id, open, true]);
    }
    // While the engine can be reached, the activator knows all that runs.
    const known = new Set([...this.activator.instances()].map(({ id }) => id));
    const unknown = [...this.runtime.instances.values()].filter(
      ({ id, state }) => state !== 'exited' && !known.has(id),
    );
    if (!this.#wasUnreachable && !this.#wasLate) expect(unknown).toEqual([]);
    expect(warm).toBeLessThanOrEqual(this.#maxInstances);
  }

  /** Repairs everything; then, left alone, everything must come to rest. */
  async comeToRest(): Promise<void> {
    const whole = { starts: 'run', startMs: 20, pauseMs: 5, stopMs: 10, answersLate: false };
    Object.assign(this.runtime.behaviour, whole);
    this.runtime.setReachable(true);
    await this.clock.advance(200_000);
    expect(this.settled).toBe(this.asked);
    expect(this.leases).toEqual([]);
    for (const { instances } of this.workers) expect(instances).toBe(0);
    expect([...this.activator.instances()].map(({ state }) => state)).toEqual([]);
    expect([...this.runtime.instances.values()]).toEqual([]);
    expect(this.clock.timers).toBe(0);
    expect(this.activator.pending).toBe(0);

    // And it still works.
    for (const [n, name] of SERVICES.entries())
      await this.take({ do: 'request', service: name, holdMs: 10, nth: n, keepsAwake: true });
    await this.clock.advance(1_000);
    expect(this.settled).toBe(this.asked);
  }

  /** Waits for the effect of unanswered calls, which belongs to the next proxy. */
  async catchUp(): Promise<void> {
    this.runtime.setReachable(true);
    this.runtime.behaviour.answersLate = false;
    if (this.#wasLate) await this.clock.advance(3_000);
  }

  async close(): Promise<void> {
    for (const worker of this.workers) worker.die();
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

/** `FUZZ_SEED` repeats the same stories; the seed of a failure is printed. */
function fuzz(all: number): { numRuns: number; seed?: number } {
  const seed = fuzzSeed(undefined);
  return { numRuns: fuzzRuns(all), ...(seed !== undefined && { seed }) };
}

/** The stories. */
export function describeStories(name: string, options: StoryOptions): void {
  describe(name, () => {
    test('any story comes to rest, with every request settled once and nothing left', {
      timeout: 120_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(), async (story, seed) => {
          const world = new Story(options, seed);
          for (const next of story) await world.take(next);
          await world.comeToRest();
          await world.close();
        }),
        fuzz(400),
      );
    });

    test('a shutdown in the middle of any story leaves nothing', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(), async (story, seed) => {
          const world = new Story(options, seed);
          for (const next of story) await world.take(next);
          await world.catchUp();
          await world.close();
        }),
        fuzz(300),
      );
    });
  });
}

/** For stories without workers. */
export const noWorkers: ForkWorker = () => {
  throw new Error('there are no workers');
};
