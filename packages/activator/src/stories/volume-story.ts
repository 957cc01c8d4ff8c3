import { codeOf, type InstanceSpec, type Revision, type RunningInstance, type Runtime } from '@cless/model';
import { FakeClock, FakeRuntime, fuzzRuns, seededRandom } from '@cless/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Activator } from '../activator.ts';
import type { Lease, LeaseGiver } from '../lease.ts';
import type { Revisions } from '../revision.ts';
import type { ForkWorker, StoryWorker } from './story.ts';

/*
 * Two instances never write one volume, whatever the order of deploys, requests, deaths and outages.
 */

const SECOND = 1_000;

/** A runtime that notices two instances of one service. */
class OneWriter extends FakeRuntime {
  /** Revisions that never get ready. */
  readonly broken = new Set<string>();
  /** The pairs of instances that existed at the same time. */
  readonly pairs: string[] = [];

  override async start(
    spec: InstanceSpec,
    { onCreated }: Parameters<Runtime['start']>[1] = {},
  ): Promise<RunningInstance> {
    return super.start(spec, {
      onCreated: (id) => {
        onCreated?.(id);
        const instance = this.instances.get(id);
        if (instance !== undefined && this.broken.has(spec.revision)) instance.ready = false;
        this.check();
      },
    });
  }

  check(): void {
    const writers = new Map<string, string>();
    for (const { id, spec, state } of this.instances.values()) {
      if (state === 'exited' || spec.service === 'free') continue;
      const other = writers.get(spec.service);
      if (other !== undefined) this.pairs.push(`${other} and ${id}`);
      writers.set(spec.service, id);
    }
  }
}

/** One revision after the other serves. */
class Succession implements Revisions<Revision> {
  readonly current = new Map<string, Revision>();
  readonly all = new Map<string, Revision>();
  readonly #listeners: ((revision: Revision) => void)[] = [];

  make(service: string, number: number, idle: Revision['idle']): Revision {
    const id = `${service}-${number}`;
    const revision: Revision = {
      service,
      id,
      spec: { service, revision: id, image: id, port: 80 },
      readiness: { check: { kind: 'http' }, timeoutMs: 5 * SECOND },
      idle,
      stopGraceMs: SECOND,
      rollout: service === 'free' ? 'overlap' : 'replace',
    };
    this.all.set(id, revision);
    return revision;
  }

  serve(revision: Revision): void {
    const before = this.current.get(revision.service);
    this.current.set(revision.service, revision);
    if (before !== undefined && before !== revision) for (const retired of this.#listeners) retired(before);
  }

  async revision(service: string, id: string) {
    const revision = this.current.get(service);
    return revision?.id === id ? revision : undefined;
  }

  refresh(): void {}

  onKept(): void {}
  changed(): void {}

  onRetired(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener);
  }
}

/** Idle times for the tests' own revisions. */
export const IDLE = { pauseAfterMs: 20 * SECOND, stopAfterMs: 60 * SECOND };

/** What the stories are about: an activator, its runtime, and the services that it has. */
export class World {
  readonly clock = new FakeClock();
  readonly runtime = new OneWriter(this.clock);
  readonly source = new Succession();
  readonly events: string[] = [];
  readonly destroyed: string[] = [];
  activator = this.#activate();
  running = this.activator.run();

  #activate(): Activator<Revision> {
    const { clock, runtime, source } = this;
    return new Activator<Revision>({
      runtime,
      revisions: source,
      clock,
      probe: runtime.probe,
      connections: { close: async () => {}, destroy: (id) => void this.destroyed.push(id) },
      maxPending: 50,
      maxStarts: 2,
      maxInstances: 6,
      onEvent: (event) => {
        const reason = 'reason' in event ? ` ${event.reason}` : '';
        if ('revision' in event) this.events.push(`${event.revision} ${event.type}${reason}`);
      },
    });
  }

  /** Replaces the proxy by another one, which adopts what runs. */
  async restart(): Promise<void> {
    const closed = this.activator.close({ keep: true });
    await this.clock.advance(100); // until the engine has done what it was asked for
    await closed;
    await this.running;
    this.activator = this.#activate();
    this.running = this.activator.run();
    await this.clock.advance(0);
  }

  /** Deploys as the deployer does, holding the lease until the revision has its traffic. */
  async deploy(revision: Revision): Promise<boolean> {
    try {
      const proof = await this.activator.lease(revision);
      this.source.serve(revision);
      proof.release();
      return true;
    } catch {
      return false;
    }
  }

  lease(service: string, signal?: AbortSignal): Promise<Lease> {
    const revision = this.source.current.get(service);
    if (revision === undefined) throw new Error(`no ${service}`);
    return this.activator.lease(revision, signal);
  }

  async close(): Promise<void> {
    const closed = this.activator.close({ keep: false });
    await this.clock.advance(300 * SECOND);
    await closed;
    await this.running;
    expect(this.runtime.pairs).toEqual([]);
    expect(this.runtime.instances.size).toBe(0);
    expect(this.clock.timers).toBe(0);
  }
}

const SERVICES = ['web', 'disk', 'free'];
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
]);
const nth = fc.nat({ max: 20 });
const service = fc.constantFrom(...SERVICES);
/** What an operator may do. */
const orderly = [
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      service,
      nth,
      holdMs: fc.nat({ max: 3_000 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deploy' as const), service, broken: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('roll back' as const), service }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 2_000 }), fc.nat({ max: 40_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slow stops' as const), ms: fc.nat({ max: 2_000 }) }) },
] as const;
const step = fc.oneof(
  ...orderly,
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'remove' as const, 'pause' as const), nth }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('engine' as const), reachable: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs the stories with workers created by `fork`. */
export function describeVolumeStories(name: string, workers: number, forkWorker: ForkWorker): void {
  describe(name, () => {
    test('never has two writers, settles every request, and comes to rest', { timeout: 30_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }),
          fc.nat(),
          tell(workers, forkWorker),
        ),
        { numRuns: fuzzRuns(600) },
      );
    });

    test('of deploys and rollbacks only loses no request, also where deploys fail', {
      timeout: 30_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(...orderly), { minLength: 1, maxLength: 50, size: 'max' }),
          fc.nat(),
          tell(workers, forkWorker, { lossless: true }),
        ),
        { numRuns: fuzzRuns(600) },
      );
    });
  });
}

/** Plays a story with workers. */
function tell(
  workers: number,
  forkWorker: ForkWorker,
  { lossless = false } = {},
): (story: Step[], seed: number) => Promise<void> {
  return async (story, seed) => {
    const world = new World();
    const { clock, runtime, source } = world;
    const random = seededRandom(seed);
    const latencyMs = () => Math.floor(random() * 3);
    const clients: AbortController[] = [];
    const deploying = new Set<string>();
    const lost: unknown[] = [];
    let [asked, settled, number] = [0, 0, 0];
    let givers: LeaseGiver[] = [];
    let forked: StoryWorker[] = [];
    const fork = () => {
      forked = Array.from({ length: workers }, () => forkWorker(world, latencyMs));
      givers = workers === 0 ? [world.activator] : forked.map(({ giver }) => giver);
    };
    fork();
    for (const name of SERVICES)
      source.serve(source.make(name, number++, { pauseAfterMs: 500, stopAfterMs: 4_000 }));

    const request = async (revision: Revision, giver: LeaseGiver, holdMs: number) => {
      const client = new AbortController();
      clients.push(client);
      asked += 1;
      try {
        const lease = giver.tryLease(revision) ?? (await giver.lease(revision, client.signal));
        clock.after(holdMs, () => lease.release());
      } catch (error) {
        if (lossless || !ALLOWED_CODES.has(codeOf(error) ?? '')) lost.push(error);
      } finally {
        settled += 1;
      }
    };
    const deploy = async (revision: Revision) => {
      if (deploying.has(revision.service)) return;
      deploying.add(revision.service);
      await world.deploy(revision);
      deploying.delete(revision.service);
    };
    const pick = (n: number) =>
      [...runtime.instances.keys()][n % Math.max(1, runtime.instances.size)] ?? 'none';
    const take = async (next: Step) => {
      switch (next.do) {
        case 'request': {
          const revision = source.current.get(next.service);
          const giver = givers[next.nth % givers.length];
          if (revision !== undefined && giver !== undefined) void request(revision, giver, next.holdMs);
          break;
        }
        case 'deploy': {
          const revision = source.make(next.service, number++, { pauseAfterMs: 500, stopAfterMs: 4_000 });
          if (next.broken) runtime.broken.add(revision.id);
          void deploy(revision);
          break;
        }
        case 'roll back': {
          const before = [...source.all.values()].filter(
            ({ service: of, id }) => of === next.service && !runtime.broken.has(id),
          );
          const revision = before.at(-2);
          if (revision !== undefined) source.serve(revision);
          break;
        }
        case 'wait':
          await clock.advance(next.ms);
          break;
        case 'abort':
          clients[next.nth % Math.max(1, clients.length)]?.abort(
            Object.assign(new Error(), { code: 'CLIENT_LEFT' }),
          );
          break;
        case 'die':
          runtime.die(pick(next.nth));
          break;
        case 'remove':
          runtime.remove(pick(next.nth));
          break;
        case 'pause':
          runtime.pauseByHand(pick(next.nth));
          break;
        case 'engine':
          runtime.setReachable(next.reachable);
          break;
        case 'slow stops':
          runtime.behaviour.stopMs = next.ms;
          break;
        case 'restart': {
          for (const worker of forked) worker.die();
          await world.restart();
          fork();
          break;
        }
      }
      await clock.advance(0);
      runtime.check();
      expect(runtime.pairs).toEqual([]);
    };
    for (const next of story) await take(next);
    Object.assign(runtime.behaviour, { stopMs: 10 });
    runtime.setReachable(true);
    await clock.advance(400 * SECOND);
    expect(lost).toEqual([]);
    expect(settled).toBe(asked);
    expect([...runtime.instances.values()]).toEqual([]);
    expect(deploying).toEqual(new Set());
    for (const worker of forked) worker.die();
    await world.close();
    expect(settled).toBe(asked);
  };
}
