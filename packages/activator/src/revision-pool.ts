import type { Revision, RuntimeInstance } from '@cless/model';
import { type Code, hasCode, shuttingDown } from '@cless/model';
import { Backoff } from './admission/backoff.ts';
import type { Capacity } from './admission/capacity.ts';
import type { StartQueue } from './admission/start-queue.ts';
import type { Claim, VolumeClaims } from './admission/volume-claims.ts';
import { backoff, noRoom, queueFull, replaced, runtimeUnavailable, volumesInUse } from './failures.ts';
import { neverStops } from './instance/idle-clock.ts';
import { Instance, type InstanceSurroundings } from './instance/instance.ts';
import { Keeper } from './keeper.ts';
import type { Activation, Lease } from './lease.ts';

/** What a pool shares with the others. */
export interface PoolSurroundings extends InstanceSurroundings {
  readonly starts: StartQueue;
  readonly capacity: Capacity;
  readonly claims: VolumeClaims;
  /** Takes a place among all that wait; `false` if there is none. */
  beginWaiting(): boolean;
  endWaiting(): void;
  /** Something has changed: the pool may be empty, an instance may have become idle. */
  poolChanged(pool: RevisionPool): void;
}

interface Waiter {
  readonly sinceMs: number;
  resolve(lease: Lease<Instance>): void;
  reject(error: unknown): void;
}

/** How many times the time to get ready a start may wait for its turn. */
const TURN_PATIENCE = 10;
/** Failures that are the revision's own: it rests before the next try. */
const COUNTS_AS_FAILED_START: readonly Code[] = ['START_FAILED', 'NOT_READY', 'ENGINE_REFUSED'];

/**
 * The instances of one revision, and the requests that wait for one.
 *
 * It is level-triggered: whatever happens, `#advance` looks at what there is and does the next thing, so that no
 * order of events can leave a request waiting for nothing.
 */
export class RevisionPool {
  readonly revision: Revision;
  readonly #world: PoolSurroundings;
  readonly #maxPending: number;
  readonly #instances = new Set<Instance>();
  readonly #waiters = new Set<Waiter>();
  /** Instances that have not been leased since they were started. */
  readonly #coldStarted = new WeakSet<Instance>();
  readonly #claims = new WeakMap<Instance, Claim>();
  /** Instances whose place has been given back though they are not gone. */
  readonly #placeless = new WeakSet<Instance>();
  readonly #backoff: Backoff;
  readonly #keeper: Keeper;
  /** Starts that wait for room or for their turn. */
  #queuedStarts = 0;
  #retired = false;

  constructor(revision: Revision, maxPending: number, world: PoolSurroundings) {
    this.revision = revision;
    this.#maxPending = maxPending;
    this.#world = world;
    this.#backoff = new Backoff(world.clock);
    this.#keeper = new Keeper({
      clock: world.clock,
      isMissing: () => !world.closing && !this.#alive() && this.#queuedStarts === 0,
      backoffMs: () => this.#backoff.remainingMs,
      start: (failures) => {
        const { service, id } = revision;
        if (failures > 0)
          world.emit({ type: 'restarting', failures, service, revision: id, instance: undefined });
        void this.#start();
      },
    });
  }

  get instances(): ReadonlySet<Instance> {
    return this.#instances;
  }

  get pending(): number {
    return this.#waiters.size;
  }

  /** Nothing here, nothing on its way, nothing to remember. */
  get empty(): boolean {
    const remembers = (this.#backoff.failures > 0 || this.#keeper.active) && !this.#retired;
    return this.#instances.size === 0 && this.#waiters.size === 0 && this.#queuedStarts === 0 && !remembers;
  }

  /** The right to send one request, if an instance is ready. */
  tryLease(keepsAwake = true): Lease<Instance> | undefined {
    this.#retired = false; // somebody asks for it
    return this.#available()?.lease(undefined, keepsAwake);
  }

  /**
   * The right to send one request, as soon as an instance is ready.
   *
   * @param signal ends the wait, not the start
   * @throws with code `QUEUE_FULL`, `BACKOFF` or `REPLACED`, and whatever the start fails with
   */
  async lease(signal?: AbortSignal): Promise<Lease<Instance>> {
    return this.tryLease() ?? this.#wait(signal);
  }

  /** Takes over an instance that was found running; says whether it is wanted. */
  adopt(found: RuntimeInstance): boolean {
    const { endpoint } = found;
    if (endpoint === undefined || this.#alive() || this.#queuedStarts > 0) return false;
    const claim = this.#world.claims.adopt(this.revision);
    if (claim === undefined) return false;
    if (!this.#world.capacity.adopt()) {
      claim.release();
      return false;
    }
    const instance = this.#add(claim);
    instance.adopt({ ...found, endpoint }).catch((error: unknown) => instance.discard(error));
    return true;
  }

  /** Keeps an instance running, whether somebody asks for it or not, until it is stopped by hand or retires. */
  keep(): void {
    this.#retired = false;
    this.#keeper.begin();
  }

  /** Is it one whose instance runs though nobody asks for it? */
  get kept(): boolean {
    return this.#keeper.active;
  }

  /** The revision serves no longer: its instances go as soon as they are not in use. */
  retire(): void {
    this.#retired = true;
    this.#keeper.end();
    for (const instance of this.#instances) {
      instance.revokeGrants();
      this.#instanceChanged(instance);
    }
    const successor = this.#alive() ? undefined : this.#world.claims.successor(this.revision);
    if (successor !== undefined) this.#failWaiters(replaced(successor));
  }

  /** Fails all that wait, and starts nothing more. */
  close(): void {
    this.#keeper.end();
    this.#failWaiters(shuttingDown());
  }

  // Private

  async #wait(signal: AbortSignal | undefined): Promise<Lease<Instance>> {
    signal?.throwIfAborted();
    const { clock } = this.#world;
    if (!this.#alive() && this.#queuedStarts === 0 && this.#backoff.remainingMs > 0) {
      const { failures, remainingMs, cause } = this.#backoff;
      throw backoff(this.revision.service, failures, remainingMs, cause);
    }
    if (this.#waiters.size >= this.#maxPending || !this.#world.beginWaiting()) {
      throw queueFull(this.revision.service, this.#waiters.size);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Lease<Instance>>();
    const waiter: Waiter = { sinceMs: clock.now(), resolve, reject };
    const leave = () => {
      this.#waiters.delete(waiter);
      reject(signal?.reason);
    };
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      this.#advance();
      const lease = await promise;
      if (signal?.aborted !== true) return lease;
      lease.release(); // the client left in the moment between
      throw signal.reason;
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#world.endWaiting();
      this.#world.poolChanged(this);
    }
  }

  /** Looks at what there is, and does the next thing. */
  #advance(): void {
    this.#serveWaiters();
    if (this.#waiters.size === 0 || this.#queuedStarts > 0) return;
    for (const instance of this.#instances) {
      if (instance.leaving) continue;
      switch (instance.state) {
        case 'starting':
        case 'pausing':
        case 'resuming':
        case 'ready': // being examined
          return;
        case 'paused':
          this.#resume(instance);
          return;
        case 'stopping':
        case 'gone':
          break;
      }
    }
    void this.#start();
  }

  #serveWaiters(): void {
    const instance = this.#available();
    if (instance === undefined) return;
    const nowMs = this.#world.clock.now();
    const kind: Activation['kind'] = this.#coldStarted.delete(instance) ? 'cold' : 'resume';
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(instance.lease({ kind, durationMs: nowMs - waiter.sinceMs }));
    }
  }

  async #start(): Promise<void> {
    const { capacity, starts } = this.#world;
    const patienceMs = this.revision.readiness.timeoutMs;
    this.#queuedStarts += 1;
    const claim = await this.#claim(patienceMs * TURN_PATIENCE);
    if (claim === undefined) return;
    if (!(await capacity.enter(patienceMs))) {
      this.#queuedStarts -= 1;
      claim.release();
      this.#notStarted(noRoom(this.revision.service, `all ${capacity.limit} are in use`));
      return;
    }
    const endTurn = await starts.turn(patienceMs * TURN_PATIENCE);
    this.#queuedStarts -= 1;
    if (endTurn === undefined || this.#world.closing || this.#alive()) {
      endTurn?.();
      capacity.leave(false);
      claim.release();
      if (this.#alive()) this.#advance();
      else if (this.#world.closing) this.#notStarted(shuttingDown());
      else this.#notStarted(noRoom(this.revision.service, 'too many others are being started'));
      return;
    }
    const instance = this.#add(claim);
    this.#coldStarted.add(instance);
    try {
      await instance.start();
      this.#backoff.reset();
    } catch (error) {
      if (instance.dismissed) {
        // Somebody wanted this one to go, not those that wait.
        instance.discard(error);
        this.#advance();
        return;
      }
      if (!this.#world.closing && hasCode(error, ...COUNTS_AS_FAILED_START)) this.#backoff.fail(error);
      this.#notStarted(error); // first: else the next start would be for them
      instance.discard(error);
    } finally {
      endTurn();
      this.#keeper.look();
      this.#world.poolChanged(this);
    }
  }

  /** Waits until no other instance writes the service's volumes. */
  async #claim(patienceMs: number): Promise<Claim | undefined> {
    const { claims } = this.#world;
    const claim = await claims.enter(this.revision, patienceMs, () => this.#waiters.size > 0 || this.kept);
    if (typeof claim === 'object') return claim;
    this.#queuedStarts -= 1;
    if (claim === 'late') this.#notStarted(volumesInUse(this.revision.service));
    else this.#advance();
    this.#world.poolChanged(this);
    return undefined;
  }

  #notStarted(error: unknown): void {
    this.#failWaiters(error);
    this.#keeper.failed(error);
  }

  #resume(instance: Instance): void {
    this.#coldStarted.delete(instance); // whoever waits now waits for the resume
    instance.resume().catch((error: unknown) => {
      if (hasCode(error, 'ENGINE_UNREACHABLE')) this.#failWaiters(error);
      void instance.recover(error);
    });
  }

  #add(claim: Claim): Instance {
    const instance = new Instance(this.revision, this.#world, {
      changed: () => this.#instanceChanged(instance),
      unknown: () => this.#failWaiters(runtimeUnavailable(undefined)),
    });
    this.#instances.add(instance);
    this.#claims.set(instance, claim);
    claim.instance = instance;
    return instance;
  }

  #instanceChanged(instance: Instance): void {
    const isGone = instance.state === 'gone' && this.#instances.delete(instance);
    if ((isGone || instance.overdue) && !this.#placeless.has(instance)) {
      this.#placeless.add(instance);
      this.#world.capacity.leave(instance.stopReason === 'capacity');
    }
    if (isGone) this.#claims.get(instance)?.release();
    if (neverStops(this.revision.idle) && !this.#retired && !this.#world.closing)
      this.#keeper.changed(instance);
    if (instance.dismissed !== undefined && instance.idle) {
      void instance.stop(instance.dismissed);
      return;
    }
    if (this.#retired && instance.idle && this.#waiters.size === 0) {
      void instance.stop('retired');
      return;
    }
    if (this.#waiters.size > 0) this.#advance();
    else if (instance.interrupted) this.#resume(instance);
    this.#keeper.look();
    this.#world.poolChanged(this);
  }

  #available(): Instance | undefined {
    for (const instance of this.#instances) if (instance.available) return instance;
    return undefined;
  }

  /** Is there one that serves, or will? */
  #alive(): boolean {
    for (const { leaving } of this.#instances) if (!leaving) return true;
    return false;
  }

  #failWaiters(error: unknown): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.reject(error);
    }
    this.#world.poolChanged(this);
  }
}
