import type { Clock, ReadinessProbe, Revision, Runtime, RuntimeEvent, RuntimeInstance } from '@cless/model';
import { Failure, hasCode, shuttingDown } from '@cless/model';
import { Capacity } from './admission/capacity.ts';
import { StartQueue } from './admission/start-queue.ts';
import { VolumeClaims } from './admission/volume-claims.ts';
import type { Connections } from './connections.ts';
import type { ActivatorEvent } from './event.ts';
import { queueFull, runtimeUnavailable } from './failures.ts';
import type { Instance } from './instance/instance.ts';
import type { Lease, LeaseGiver } from './lease.ts';
import { type Comparison, Reconciler } from './reconciler.ts';
import { rest } from './rest.ts';
import { type PoolSurroundings, RevisionPool } from './revision-pool.ts';
import type { Revisions } from './revisions.ts';

export interface ActivatorOptions {
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly clock: Clock;
  readonly source: Revisions;
  readonly connections: Connections;
  /** Requests that may wait for one revision; ten times that for all. */
  readonly maxPending: number;
  /** Starts at once. */
  readonly maxStarts: number;
  /** Warm instances at once. Undefined means no limit. */
  readonly maxInstances: number | undefined;
  /** Called for whatever happens to an instance, and when the runtime comes and goes. */
  readonly onEvent: (event: ActivatorEvent | RuntimeStatus) => void;
}

/** The runtime can be reached, or cannot. */
export type RuntimeStatus =
  | { readonly type: 'runtime-connected' }
  | { readonly type: 'runtime-lost'; readonly error: Error };

/** How long stops may take at the end besides their grace periods. */
const LAST_STOP_MS = 10_000;
/** How long what was left by others may take at the end. */
const LEFTOVERS_MS = 20_000;

/**
 * Holds requests of cold revisions, gets one instance ready, and hands out leases. The runtime is the record of
 * what runs: after each gap in its events everything is compared with what it lists.
 */
export class Activator implements LeaseGiver {
  readonly #options: ActivatorOptions;
  readonly #world: PoolSurroundings;
  readonly #pools = new Map<string, RevisionPool>();
  /** The same by object: the way of each warm request, without making a key. */
  readonly #poolOf = new WeakMap<Revision, RevisionPool>();
  readonly #byId = new Map<string, Instance>();
  readonly #watching = new AbortController();
  #pending = 0;
  #closing = false;
  #runtimeLost: Error | undefined;
  /** Resolves with the first look at what runs; until then requests are held. */
  #firstLook = Promise.withResolvers<void>();
  #looked = false;
  /** To be kept running, as soon as it is known what runs. */
  #toKeep: Revision[] = [];
  /** Ends the wait of `close` for the last instance. */
  #whenAllGone: (() => void) | undefined;
  readonly #reconciler: Reconciler;

  constructor(options: ActivatorOptions) {
    this.#options = options;
    const { runtime, probe, clock, connections, maxPending, source } = options;
    const isClosing = () => this.#closing;
    this.#reconciler = new Reconciler({
      clock,
      compare: () => this.#compare(),
      isWorthwhile: () => this.#byId.size > 0,
      compared: (error) => {
        if (this.#looked) return;
        if (error === undefined) this.#firstLookDone();
        else this.#refuseFirstRequests(error);
      },
    });
    this.#world = {
      runtime,
      probe,
      clock,
      connections,
      claims: new VolumeClaims(clock),
      starts: new StartQueue(options.maxStarts, clock),
      capacity: new Capacity(options.maxInstances ?? Number.POSITIVE_INFINITY, clock, () => this.#evict()),
      get closing() {
        return isClosing();
      },
      emit: options.onEvent,
      identified: (id, instance, before) => {
        if (before !== undefined) this.#byId.delete(before);
        this.#byId.set(id, instance);
        this.#reconciler.later();
      },
      gone: ({ id }) => {
        if (id !== undefined) this.#byId.delete(id);
      },
      doubt: () => this.#reconciler.doubt(),
      beginWaiting: () => {
        if (this.#pending >= maxPending * 10) return false;
        this.#pending += 1;
        return true;
      },
      endWaiting: () => {
        this.#pending -= 1;
      },
      poolChanged: (pool) => this.#poolChanged(pool),
    };
    source.onRetired((revision) => this.#pools.get(keyOf(revision))?.retire());
    source.onKept((revision) => {
      // Before the first look nobody knows whether it runs already.
      if (this.#looked) this.#pool(revision).keep();
      else this.#toKeep.push(revision);
    });
  }

  /** Requests that wait. */
  get pending(): number {
    return this.#pending;
  }

  /** All instances, with their revisions. */
  *instances(): Generator<Instance> {
    for (const pool of this.#pools.values()) yield* pool.instances;
  }

  /** Requests that wait, by service. */
  *waiting(): Generator<[service: string, requests: number]> {
    for (const { revision, pending } of this.#pools.values())
      if (pending > 0) yield [revision.service, pending];
  }

  /** Can the runtime be reached, as far as is known? */
  get connected(): boolean {
    return this.#looked && this.#runtimeLost === undefined;
  }

  /** The instance of that id. */
  instance(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  tryLease(revision: Revision, keepsAwake = true): Lease<Instance> | undefined {
    return this.#closing ? undefined : this.#poolOf.get(revision)?.tryLease(keepsAwake);
  }

  async lease(revision: Revision, signal?: AbortSignal, keepsAwake = true): Promise<Lease<Instance>> {
    if (!this.#looked) await this.#waitForFirstLook(signal);
    if (this.#closing) throw shuttingDown();
    if (keepsAwake) return this.#leaseOf(revision, signal);
    const lease = this.#pools.get(keyOf(revision))?.tryLease(false);
    if (lease === undefined) {
      const text = `${revision.service} sleeps, and this request does not wake it`;
      throw new Failure('ASLEEP', text);
    }
    return lease;
  }

  /** Follows the runtime until `close`. */
  async run(): Promise<void> {
    const { signal } = this.#watching;
    for await (const event of this.#options.runtime.watch(signal)) this.#handle(event);
  }

  /**
   * Gives out no more leases and stops all instances (or, with `keep`, leaves them to the next proxy). Resolves
   * when they are gone. Whoever calls has waited for the open leases.
   */
  async close({ keep }: { keep: boolean }): Promise<void> {
    this.#closing = true;
    this.#watching.abort();
    const reconciled = this.#reconciler.close();
    this.#firstLook.reject(shuttingDown());
    this.#firstLook.promise.catch(() => {});
    for (const pool of this.#pools.values()) pool.close();
    await reconciled;
    if (keep) {
      for (const instance of [...this.instances()]) instance.abandon();
      return;
    }
    const { promise: allGone, resolve } = Promise.withResolvers<void>();
    this.#whenAllGone = resolve;
    const instances = [...this.instances()];
    const graceMs = Math.max(0, ...instances.map(({ revision }) => revision.stopGraceMs));
    const enough = this.#world.clock.after(graceMs + LAST_STOP_MS, () => {
      for (const instance of [...this.instances()]) instance.abandon();
    });
    for (const instance of instances) void instance.stop('shutdown');
    this.#checkAllGone();
    await allGone;
    enough.cancel();
    await this.#stopLeftovers();
  }

  // Private

  /** Of the revision, or of the one that takes its place meanwhile. */
  async #leaseOf(revision: Revision, signal: AbortSignal | undefined): Promise<Lease<Instance>> {
    for (let asked = revision; ; ) {
      try {
        return await this.#pool(asked).lease(signal);
      } catch (error) {
        if (!hasCode(error, 'REPLACED')) throw error;
        asked = error.by;
      }
    }
  }

  async #waitForFirstLook(signal: AbortSignal | undefined): Promise<void> {
    if (this.#runtimeLost !== undefined) throw runtimeUnavailable(this.#runtimeLost);
    if (!this.#world.beginWaiting()) throw queueFull('all services', this.#pending);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([this.#firstLook.promise, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#world.endWaiting();
    }
  }

  /** What a predecessor left, if there was no time to look at it, and what a runtime that did not answer may have made. */
  async #stopLeftovers(): Promise<void> {
    const { runtime } = this.#options;
    const { clock } = this.#world;
    const enough = new AbortController();
    const stopAll = async () => {
      const left = await runtime.list().catch((): RuntimeInstance[] => []);
      await Promise.all(left.map(({ id }) => runtime.stop(id).catch(() => {})));
    };
    await Promise.race([stopAll().finally(() => enough.abort()), rest(clock, LEFTOVERS_MS, enough.signal)]);
  }

  #pool(revision: Revision): RevisionPool {
    const key = keyOf(revision);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new RevisionPool(revision, this.#options.maxPending, this.#world);
      this.#pools.set(key, pool);
    }
    this.#poolOf.set(revision, pool);
    return pool;
  }

  #poolChanged(pool: RevisionPool): void {
    const key = keyOf(pool.revision);
    // The end of an old lease may tell of a pool in whose place there is another one by now.
    if (pool.empty && this.#pools.get(key) === pool) this.#pools.delete(key);
    if (this.#world.capacity.wanted) this.#world.capacity.makeRoom();
    this.#world.claims.changed(pool.revision.service);
    this.#checkAllGone();
  }

  #checkAllGone(): void {
    if (this.#whenAllGone !== undefined && this.instances().next().done === true) this.#whenAllGone();
  }

  /** Stops the least recently used instance that is idle; one that is kept only if there is no other. */
  #evict(): boolean {
    const oldest = this.#leastRecentlyUsed(false) ?? this.#leastRecentlyUsed(true);
    if (oldest?.maybeIdle) {
      oldest.revokeGrants(); // it may have been in use since; with the answer this is called again
      return false;
    }
    void oldest?.stop('capacity');
    return oldest !== undefined;
  }

  #leastRecentlyUsed(kept: boolean): Instance | undefined {
    let oldest: Instance | undefined;
    for (const pool of this.#pools.values()) {
      if (pool.pending > 0 || pool.kept !== kept) continue;
      for (const instance of pool.instances) {
        const candidate = instance.idle || instance.maybeIdle;
        if (candidate && instance.idleSinceMs < (oldest?.idleSinceMs ?? Number.POSITIVE_INFINITY))
          oldest = instance;
      }
    }
    return oldest;
  }

  #handle(event: RuntimeEvent): void {
    switch (event.type) {
      case 'connected':
        this.#runtimeLost = undefined;
        this.#options.onEvent({ type: 'runtime-connected' });
        this.#options.source.refresh();
        this.#reconciler.atOnce();
        return;
      case 'disconnected':
        if (this.#runtimeLost === undefined)
          this.#options.onEvent({ type: 'runtime-lost', error: event.error });
        this.#runtimeLost = event.error;
        this.#options.source.refresh(); // what changes from here on is not told
        if (!this.#looked) this.#refuseFirstRequests(event.error);
        return;
      case 'images-changed':
        this.#options.source.refresh();
        return;
      case 'exited':
        this.#byId.get(event.id)?.exited(event);
        return;
      case 'removed':
        this.#byId.get(event.id)?.vanished();
        return;
      case 'oom':
        this.#byId.get(event.id)?.ranOutOfMemory();
        return;
      case 'paused':
      case 'resumed': {
        const instance = this.#byId.get(event.id);
        // Mostly the echo of our own call. Else ask: by now it may be otherwise again.
        const expected = event.type === 'paused' ? ['ready', 'starting'] : ['paused'];
        if (instance !== undefined && expected.includes(instance.state)) void instance.examine();
        return;
      }
    }
  }

  #refuseFirstRequests(error: unknown): void {
    const { reject, promise } = this.#firstLook;
    this.#firstLook = Promise.withResolvers();
    promise.catch(() => {});
    reject(runtimeUnavailable(error));
  }

  #firstLookDone(): void {
    this.#looked = true;
    this.#firstLook.resolve();
    for (const revision of this.#toKeep) this.#pool(revision).keep();
    this.#toKeep = [];
  }

  /**
   * Compares what the runtime lists with what is known, and asks about each difference; adopts or removes what is not known.
   * A list is old when it is read: by itself it ends nothing.
   */
  async #compare(): Promise<Comparison> {
    const { runtime } = this.#options;
    const before = new Map([...this.#byId].map(([id, instance]) => [id, instance.state]));
    const listed = await runtime.list();
    if (this.#closing) return { listed: 0, isDone: true };

    const found = new Map(listed.map((one) => [one.id, one]));
    for (const [service, id] of this.#world.claims.leftovers())
      if (!found.has(id)) this.#world.claims.vacated(service, id);
    for (const [id, state] of before) {
      const instance = this.#byId.get(id);
      if (instance?.state === state && differs(instance, found.get(id))) void instance.examine();
    }
    // One that is being launched may be listed before its start tells us its id: looked at again when that has come back.
    const launching = new Set(
      [...this.instances()].filter((one) => one.launching).map(({ revision }) => keyOf(revision)),
    );
    // What was known before and is not any more went while the list was made.
    const unknown = listed.filter(({ id }) => !this.#byId.has(id) && !before.has(id));
    const theirs = unknown.filter(
      ({ service, revision }) => !launching.has(keyOf({ service, id: revision })),
    );
    const settled = await Promise.allSettled(theirs.map((one) => this.#adoptOrRemove(one)));
    const isDone = theirs.length === unknown.length && settled.every(({ status }) => status === 'fulfilled');
    return { listed: listed.length, isDone };
  }

  async #adoptOrRemove(found: RuntimeInstance): Promise<void> {
    const { runtime, source, onEvent } = this.#options;
    const revision = await source.revision(found.service, found.revision);
    if (this.#closing || this.#byId.has(found.id)) return;
    const matches = revision !== undefined && runtime.specHash(revision.spec) === found.spec;
    if (matches && this.#pool(revision).adopt(found)) return;
    const about = { service: found.service, revision: found.revision, instance: found.id };
    onEvent({ type: 'stopping', reason: 'not-ours', ...about });
    const beganMs = this.#world.clock.now();
    const { claims } = this.#world;
    if (found.state !== 'exited') claims.leftover(found.service, found.id);
    // In the background: nobody has to wait for its grace period.
    runtime.stop(found.id).then(
      () => {
        const durationMs = this.#world.clock.now() - beganMs;
        onEvent({ type: 'stopped', reason: 'not-ours', durationMs, ...about });
        claims.vacated(found.service, found.id);
      },
      (error: unknown) => {
        onEvent({ type: 'stop-failed', error, ...about });
        this.#reconciler.soon();
      },
    );
  }
}

/** Is an instance otherwise than the runtime lists it, or may be? */
function differs({ state, endpoint }: Instance, found: RuntimeInstance | undefined): boolean {
  if (found === undefined || found.state === 'exited') return state !== 'pausing' && state !== 'resuming';
  switch (state) {
    case 'ready':
      return (
        found.state === 'paused' ||
        found.endpoint?.host !== endpoint?.host ||
        found.endpoint?.port !== endpoint?.port
      );
    case 'paused':
      return found.state === 'running';
    case 'starting':
      return found.state === 'paused';
    default:
      return false;
  }
}

function keyOf({ service, id }: { service: string; id: string }): string {
  return `${service}\n${id}`;
}
