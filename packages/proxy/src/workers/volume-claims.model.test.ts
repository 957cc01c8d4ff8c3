import { Activator, type Lease, type LeaseGiver } from '@cless/activator';
import { codeOf, type InstanceSpec, type Revision, type RunningInstance, type Runtime } from '@cless/model';
import { FakeClock, FakeRuntime, fuzzRuns, seededRandom } from '@cless/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SoleRevision } from '../services/convention.ts';
import type { ServiceSource } from '../services/source.ts';
import { FakeWorker } from './fake-worker.ts';
import { WorkerLink } from './link.ts';

/*
 * Two instances never write one volume, whatever the order of deploys, requests, deaths and outages.
 */

const SECOND = 1_000;

/** A runtime that notices two instances of one service. */
class OneWriter extends FakeRuntime {
  /** Revisions that never get ready. */
  readonly broken = new Set<string>();
  /** Those that were there at one time. */
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
class Succession implements ServiceSource {
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

  known(service: string) {
    const revision = this.current.get(service);
    return revision && new SoleRevision(revision);
  }

  async resolve(service: string) {
    return this.known(service);
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

const IDLE = { pauseAfterMs: 20 * SECOND, stopAfterMs: 60 * SECOND };

class World {
  readonly clock = new FakeClock();
  readonly runtime = new OneWriter(this.clock);
  readonly source = new Succession();
  readonly events: string[] = [];
  readonly destroyed: string[] = [];
  activator = this.#activate();
  running = this.activator.run();

  #activate(): Activator {
    const { clock, runtime, source } = this;
    return new Activator({
      runtime,
      source,
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

  /** Another proxy takes over what runs. */
  async restart(): Promise<void> {
    const closed = this.activator.close({ keep: true });
    await this.clock.advance(100); // what was asked of the engine is done
    await closed;
    await this.running;
    this.activator = this.#activate();
    this.running = this.activator.run();
    await this.clock.advance(0);
  }

  /** As the deployer does it: the instance is kept until it has its traffic. */
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

describe('a deploy', () => {
  let world: World;
  let first: Revision;
  let second: Revision;

  beforeEach(async () => {
    world = new World();
    first = world.source.make('web', 1, IDLE);
    second = world.source.make('web', 2, IDLE);
    world.source.serve(first);
    await world.clock.advance(0);
  });

  afterEach(() => world.close());

  const asked = async () => {
    const lease = world.lease('web');
    await world.clock.advance(100);
    return lease;
  };

  test('the old one finishes what it has, and is gone before the new one is made; requests are held, and the new one’s', async () => {
    const long = await asked();
    await world.clock.advance(5 * SECOND);
    const deployed = world.deploy(second);
    await world.clock.advance(2 * SECOND);
    const held = [world.lease('web'), world.lease('web')];
    await world.clock.advance(2 * SECOND);
    expect(world.runtime.started).toBe(1);
    long.release();
    await world.clock.advance(SECOND);
    expect(await deployed).toBe(true);
    const leases = await Promise.all(held);
    expect(new Set(leases.map(({ instanceId }) => instanceId))).toEqual(new Set(['i2']));
    expect([...world.activator.instances()].map(({ revision }) => revision.id)).toEqual(['web-2']);
    expect(world.events.filter((event) => /stopping|created/.test(event))).toEqual([
      'web-1 created',
      'web-1 stopping replaced',
      'web-2 created',
    ]);
    for (const lease of leases) lease.release();
  });

  test('of one that does not get ready: the old one is back, and answers what was held', async () => {
    (await asked()).release();
    await world.clock.advance(5 * SECOND);
    world.runtime.broken.add('web-2');
    const deployed = world.deploy(second);
    await world.clock.advance(SECOND);
    const held = [world.lease('web'), world.lease('web')];
    await world.clock.advance(10 * SECOND);
    expect(await deployed).toBe(false);
    for (const lease of await Promise.all(held)) {
      expect([...world.activator.instances()].find(({ id }) => id === lease.instanceId)?.revision).toBe(
        first,
      );
      lease.release();
    }
  });

  test('a connection that never ends is cut after half a minute', async () => {
    const endless = await asked();
    await world.clock.advance(5 * SECOND);
    const deployed = world.deploy(second);
    await world.clock.advance(29 * SECOND);
    expect(world.destroyed).toEqual([]);
    await world.clock.advance(2 * SECOND);
    expect(world.destroyed).toEqual(['i1']);
    expect(await deployed).toBe(true);
    endless.release();
  });

  test('a paused one, one that starts, and one that stops are waited for', async () => {
    (await asked()).release();
    await world.clock.advance(25 * SECOND);
    expect([...world.activator.instances()].map(({ state }) => state)).toEqual(['paused']);
    const deployed = world.deploy(second);
    await world.clock.advance(SECOND);
    expect(await deployed).toBe(true);

    world.runtime.behaviour.stopMs = SECOND;
    const [instance] = world.activator.instances();
    instance?.dismiss();
    await world.clock.advance(10);
    expect(instance?.state).toBe('stopping');
    const next = world.lease('web');
    await world.clock.advance(500);
    expect(world.runtime.started).toBe(2);
    await world.clock.advance(SECOND);
    (await next).release();
    expect(world.runtime.started).toBe(3);
  });

  test('two that are asked for in turn both get to answer', async () => {
    const answered: string[] = [];
    const both = [first, second];
    for (let i = 0; i < 40; i++) {
      const revision = both[i % 2] ?? first;
      void world.activator.lease(revision).then((lease) => {
        answered.push(revision.id);
        world.clock.after(300, () => lease.release());
      });
      await world.clock.advance(250);
    }
    await world.clock.advance(20 * SECOND);
    expect(answered.filter((id) => id === 'web-1')).toHaveLength(20);
    expect(answered.filter((id) => id === 'web-2')).toHaveLength(20);
  });

  test('those that overlap do not wait for each other', async () => {
    const [one, two] = [world.source.make('free', 1, IDLE), world.source.make('free', 2, IDLE)];
    world.source.serve(one);
    const lease = world.lease('free');
    await world.clock.advance(100);
    const deployed = world.deploy(two);
    await world.clock.advance(100);
    expect(await deployed).toBe(true);
    expect([...world.activator.instances()]).toHaveLength(2);
    (await lease).release();
  });

  test('what a predecessor left of another revision is gone before the next is made', async () => {
    (await asked()).release();
    world.runtime.behaviour.stopMs = 5 * SECOND;
    world.source.serve(second);
    await world.restart();
    const lease = world.lease('web');
    await world.clock.advance(4 * SECOND);
    expect(world.runtime.started).toBe(1);
    await world.clock.advance(2 * SECOND);
    (await lease).release();
    expect(world.runtime.started).toBe(2);
  });

  test('one that does not go holds nobody for ever: no room', async () => {
    (await asked()).release();
    await world.clock.advance(5 * SECOND);
    world.runtime.behaviour.stopMs = 1_000 * SECOND;
    const outcome = expect(world.activator.lease(second)).rejects.toMatchObject({ code: 'CAPACITY' });
    await world.clock.advance(60 * SECOND);
    await outcome;
    world.runtime.behaviour.stopMs = 10;
    await world.clock.advance(1_000 * SECOND);
  });

  test('whoever has left starts nothing when its turn comes', async () => {
    const lease = await asked();
    const left = new AbortController();
    const waiting = world.activator.lease(second, left.signal);
    waiting.catch(() => {});
    await world.clock.advance(SECOND / 2);
    left.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await world.clock.advance(5 * SECOND);
    expect([...world.activator.instances()].map(({ state, dismissed }) => [state, dismissed])).toEqual([
      ['ready', undefined],
    ]);
    lease.release();
  });
});

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
/** What an operator does. */
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

describe.each([0, 2])('any story with %i workers', (workers) => {
  test('never has two writers, settles every request, and comes to rest', { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }), fc.nat(), tell(workers)),
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
        tell(workers, { lossless: true }),
      ),
      { numRuns: fuzzRuns(600) },
    );
  });
});

/** Plays a story, with so many processes that take requests in. */
function tell(workers: number, { lossless = false } = {}): (story: Step[], seed: number) => Promise<void> {
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
    let forked: FakeWorker[] = [];
    const fork = () => {
      const { activator } = world;
      forked = Array.from({ length: workers }, () => {
        const worker = new FakeWorker(clock, latencyMs);
        new WorkerLink(worker.process, { clock, activator, source, convention: undefined });
        return worker;
      });
      givers = workers === 0 ? [activator] : forked.map((worker) => worker.activator);
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
