import { type Clock, Failure, hasCode, messageOf, shuttingDown, systemClock } from '@cless/model';
import { Admission } from './admission/admission.ts';
import { WaitingRoom } from './admission/waiting-room.ts';
import type { ActivatorEvent } from './event.ts';
import { runtimeUnavailable } from './failures.ts';
import { FirstLook } from './first-look.ts';
import type { Explain } from './instance/drive.ts';
import type { Instance } from './instance/instance.ts';
import type { Lease, LeaseGiver } from './lease.ts';
import { Pools } from './pools.ts';
import { Reconciler } from './reconciler.ts';
import { rest } from './rest.ts';
import type { Revision, Revisions } from './revision.ts';
import type { Connections, ReadinessProbe, Runtime, RuntimeInstance } from './runtime.ts';

export interface ActivatorOptions<R extends Revision = Revision> {
  readonly runtime: Runtime<R['spec']>;
  readonly revisions: Revisions<R>;
  /** Decides when an instance may get its first request. Default: as soon as it has been started. */
  readonly probe?: ReadinessProbe<R['readiness']>;
  /** The open connections to instances, to be closed before a pause or stop. Default: none. */
  readonly connections?: Connections;
  /** Explains why an instance did not get ready. Default: the probe's error. */
  readonly explain?: Explain<R>;
  readonly clock?: Clock;
  /** How many requests may wait for one revision; for all revisions together, ten times that. Default: 1,000. */
  readonly maxPending?: number;
  /** How many starts may run at once. Default: 4. */
  readonly maxStarts?: number;
  /** How many instances may be warm at once. Undefined means no limit. */
  readonly maxInstances?: number | undefined;
  /**
   * Called with each event of an instance, and when the runtime becomes reachable or unreachable; with the revision
   * if it is known.
   */
  readonly onEvent?: (event: ActivatorEvent | RuntimeStatus, revision: R | undefined) => void;
}

/** The runtime has become reachable or unreachable. */
export type RuntimeStatus =
  | { readonly type: 'runtime-connected' }
  | { readonly type: 'runtime-lost'; readonly error: Error };

/** How long stopping may take at the end, in milliseconds, on top of the grace periods. */
const LAST_STOP_MS = 10_000;
/** How long stopping instances of previous proxies may take at the end, in milliseconds. */
const LEFTOVERS_MS = 20_000;

/**
 * Holds requests for cold revisions, gets instances ready, and gives out leases. The runtime is the record of what
 * runs: after each gap in its events, the activator compares what it knows with what the runtime lists.
 */
export class Activator<R extends Revision = Revision> implements LeaseGiver<R> {
  readonly #runtime: Runtime<R['spec']>;
  readonly #clock: Clock;
  readonly #onEvent: NonNullable<ActivatorOptions<R>['onEvent']>;
  readonly #closing = new AbortController();
  readonly #room: WaitingRoom;
  readonly #pools: Pools<R>;
  readonly #firstLook: FirstLook;
  readonly #reconciler: Reconciler<R>;
  /** Why the runtime cannot be reached; undefined if it can. */
  #lost: Error | undefined;
  /** Revisions to keep running, once it is known what runs. */
  #toKeep: R[] = [];

  constructor({
    runtime,
    revisions,
    probe = async () => ({ attempts: 1 }),
    connections = { close: async () => {}, destroy: () => {} },
    explain = async (_id, _revision, error) => messageOf(error),
    clock = systemClock,
    maxPending = 1_000,
    maxStarts = 4,
    maxInstances = Number.POSITIVE_INFINITY,
    onEvent = () => {},
  }: ActivatorOptions<R>) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#onEvent = onEvent;
    const closing = this.#closing.signal;
    this.#room = new WaitingRoom(maxPending * 10);
    this.#firstLook = new FirstLook(this.#room);
    const admission = new Admission<R>({
      clock,
      maxStarts,
      maxInstances,
      evict: () => this.#pools.evict(),
      closing,
    });
    const drive = { runtime, probe, clock, connections, explain, closing };
    this.#pools = new Pools<R>(
      { drive, admission, room: this.#room, maxPending },
      {
        tell: (event, revision, instance) => {
          const { service, id } = revision;
          onEvent({ ...event, service, revision: id, instance }, revision);
        },
        identified: () => this.#reconciler.later(),
        doubt: () => this.#reconciler.doubt(),
      },
    );
    const { claims } = admission;
    this.#reconciler = new Reconciler<R>({
      ...{ runtime, revisions, clock, pools: this.#pools, claims, closing },
      listener: {
        connected: () => this.#connected(),
        lost: (error) => this.#disconnected(error),
        compared: (error) => this.#compared(error),
        tell: (event, { service, revision, id }) =>
          onEvent({ ...event, service, revision, instance: id }, undefined),
      },
    });
    revisions.onRetired?.((revision) => this.#pools.find(revision)?.retire());
    revisions.onKept?.((revision) => {
      // Before the first comparison it may be running without our knowing.
      if (this.#firstLook.isDone) this.#pools.of(revision).keep();
      else this.#toKeep.push(revision);
    });
  }

  /** The number of waiting requests. */
  get pending(): number {
    return this.#room.size;
  }

  /** All instances, with their revisions. */
  instances(): Generator<Instance<R>> {
    return this.#pools.instances();
  }

  /** The number of waiting requests, by service. */
  *waiting(): Generator<[service: string, requests: number]> {
    for (const { revision, pending } of this.#pools) if (pending > 0) yield [revision.service, pending];
  }

  /** Could the runtime be reached when it was last used? */
  get connected(): boolean {
    return this.#firstLook.isDone && this.#lost === undefined;
  }

  /** The instance with that id. */
  instance(id: string): Instance<R> | undefined {
    return this.#pools.instance(id);
  }

  tryLease(revision: R, keepsAwake = true): Lease<Instance<R>> | undefined {
    return this.#closing.signal.aborted ? undefined : this.#pools.known(revision)?.tryLease(keepsAwake);
  }

  async lease(revision: R, signal?: AbortSignal, keepsAwake = true): Promise<Lease<Instance<R>>> {
    if (!this.#firstLook.isDone) await this.#firstLook.wait(signal);
    if (this.#closing.signal.aborted) throw shuttingDown();
    if (keepsAwake) return this.#leaseOf(revision, signal);
    const lease = this.#pools.find(revision)?.tryLease(false);
    if (lease === undefined) {
      const text = `${revision.service} sleeps, and this request does not wake it`;
      throw new Failure('ASLEEP', text);
    }
    return lease;
  }

  /** Follows the runtime's events until `close`. */
  run(): Promise<void> {
    return this.#reconciler.run();
  }

  /**
   * Gives out no more leases and stops all instances (or with `keep`, leaves them to the next activator). Resolves
   * when they are gone. The caller must have waited for the open leases.
   */
  async close({ keep = false }: { keep?: boolean } = {}): Promise<void> {
    this.#closing.abort(shuttingDown());
    const reconciled = this.#reconciler.close();
    this.#firstLook.fail(shuttingDown());
    for (const pool of this.#pools) pool.close();
    await reconciled;
    if (keep) {
      this.#abandonAll();
      return;
    }
    const instances = [...this.instances()];
    const graceMs = Math.max(0, ...instances.map(({ revision }) => revision.stopGraceMs));
    const enough = this.#clock.after(graceMs + LAST_STOP_MS, () => this.#abandonAll());
    for (const instance of instances) void instance.stop('shutdown');
    await this.#pools.whenEmpty();
    enough.cancel();
    await this.#stopLeftovers();
  }

  // Private

  /** Leases an instance of the revision, or of the one that replaces it meanwhile. */
  async #leaseOf(revision: R, signal: AbortSignal | undefined): Promise<Lease<Instance<R>>> {
    for (let asked = revision; ; ) {
      try {
        return await this.#pools.of(asked).lease(signal);
      } catch (error) {
        if (!hasCode(error, 'REPLACED')) throw error;
        asked = this.#pools.find(error.by)?.revision ?? asked;
      }
    }
  }

  #abandonAll(): void {
    for (const instance of [...this.instances()]) instance.abandon();
  }

  /**
   * Stops what a previous proxy left, if there was no time to look at it, and what an unanswered start may have
   * created.
   */
  async #stopLeftovers(): Promise<void> {
    const enough = new AbortController();
    const stopAll = async () => {
      const left = await this.#runtime.list().catch((): RuntimeInstance[] => []);
      await Promise.all(left.map(({ id }) => this.#runtime.stop(id).catch(() => {})));
    };
    await Promise.race([
      stopAll().finally(() => enough.abort()),
      rest(this.#clock, LEFTOVERS_MS, enough.signal),
    ]);
  }

  #connected(): void {
    this.#lost = undefined;
    this.#firstLook.reachable(undefined);
    this.#onEvent({ type: 'runtime-connected' }, undefined);
  }

  #disconnected(error: Error): void {
    if (this.#lost === undefined) this.#onEvent({ type: 'runtime-lost', error }, undefined);
    this.#lost = error;
    this.#firstLook.reachable(error);
  }

  #compared(error: unknown): void {
    if (this.#firstLook.isDone) return;
    if (error !== undefined) {
      this.#firstLook.fail(runtimeUnavailable(error));
      return;
    }
    this.#firstLook.done();
    for (const revision of this.#toKeep) this.#pools.of(revision).keep();
    this.#toKeep = [];
  }
}
