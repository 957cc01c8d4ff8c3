import { hasCode, shuttingDown } from '@cless/model';
import type { Admission, Place } from './admission/admission.ts';
import type { WaitingRoom } from './admission/waiting-room.ts';
import type { InstanceEvent } from './event.ts';
import { queueFull, replaced, runtimeUnavailable } from './failures.ts';
import type { Drive } from './instance/drive.ts';
import { neverStops } from './instance/idle-clock.ts';
import { Instance, type InstanceOwner } from './instance/instance.ts';
import type { Lease } from './lease.ts';
import { choose, chooseAsleep } from './policy/choose.ts';
import type { EvictableGroup } from './policy/evict.ts';
import { maxScale, wantedScale } from './policy/scale.ts';
import type { Revision } from './revision.ts';
import type { RuntimeInstance } from './runtime.ts';
import { Starter } from './starter.ts';
import { Waiters } from './waiters.ts';

/** The owner of a pool. */
export interface PoolOwner<R extends Revision = Revision> {
  /** Called when something has changed: the pool may be empty, or an instance may have become idle. */
  changed(pool: Pool<R>): void;
  /** See {@link InstanceOwner.identified}. */
  identified(instance: Instance<R>, id: string, before: string | undefined): void;
  /** Called once, when the instance is gone. */
  gone(instance: Instance<R>): void;
  /** See {@link InstanceOwner.doubt}. */
  doubt(): void;
  tell(event: InstanceEvent, revision: R, instance: string | undefined): void;
}

/** What all pools share. */
export interface PoolShares<R extends Revision = Revision> {
  readonly drive: Drive<R>;
  readonly admission: Admission<R>;
  /** The room for the waiting requests of all revisions. */
  readonly room: WaitingRoom;
  /** How many requests may wait for one revision. */
  readonly maxPending: number;
}

/**
 * The instances of one revision, and the requests that wait for one.
 *
 * Level-triggered: after any event, `#advance` looks at the current state and does the next thing, so that no order
 * of events can leave a request waiting for ever.
 */
export class Pool<R extends Revision = Revision> implements InstanceOwner<R>, EvictableGroup<Instance<R>> {
  readonly revision: R;
  readonly #shares: PoolShares<R>;
  readonly #owner: PoolOwner<R>;
  readonly #instances = new Map<Instance<R>, Place<R>>();
  readonly #waiters: Waiters<R>;
  readonly #starter: Starter<R>;
  #retired = false;

  constructor(revision: R, shares: PoolShares<R>, owner: PoolOwner<R>) {
    this.revision = revision;
    this.#shares = shares;
    this.#owner = owner;
    this.#waiters = new Waiters(shares.drive.clock);
    this.#starter = new Starter(revision, shares, {
      living: () => this.#living,
      wanted: () => this.#wanted,
      waiting: () => this.pending,
      add: (place) => this.#add(place),
      starting: (instance) => this.#waiters.coldStarted(instance),
      failed: (error, instance) => {
        const others = this.#living - (instance === undefined || instance.leaving ? 0 : 1);
        if (others === 0) this.#fail(error); // else those that wait get a lease when another one ends
      },
      advance: () => this.#advance(),
      changed: () => owner.changed(this),
      restarting: (failures) => owner.tell({ type: 'restarting', failures }, revision, undefined),
    });
  }

  get instances(): IterableIterator<Instance<R>> {
    return this.#instances.keys();
  }

  get pending(): number {
    return this.#waiters.size;
  }

  /** Has it no instances, no waiting requests and nothing to remember? */
  get empty(): boolean {
    const { queued, remembers } = this.#starter;
    return this.#instances.size === 0 && this.pending === 0 && queued === 0 && (this.#retired || !remembers);
  }

  /** Leases an instance if one is ready; undefined otherwise. */
  tryLease(keepsAwake = true): Lease<Instance<R>> | undefined {
    this.#retired = false; // it is asked for again
    return choose(this.#instances.keys())?.lease(undefined, keepsAwake);
  }

  /**
   * Leases an instance as soon as one is ready.
   *
   * @param signal ends the wait, not the start
   * @throws `QUEUE_FULL`, `BACKOFF`, `REPLACED` and whatever the start fails with
   */
  async lease(signal?: AbortSignal): Promise<Lease<Instance<R>>> {
    return this.tryLease() ?? this.#wait(signal);
  }

  /** Takes over an instance that was found running. Returns whether it is wanted. */
  adopt(found: RuntimeInstance): boolean {
    if (found.endpoint === undefined || this.#living + this.#starter.queued >= maxScale(this.revision))
      return false;
    const place = this.#shares.admission.adopt(this.revision);
    if (place === undefined) return false;
    const instance = this.#add(place);
    instance.adopt(found).catch((error: unknown) => instance.discard(error));
    return true;
  }

  /** Keeps an instance running even without requests, until it is stopped by hand or the revision retires. */
  keep(): void {
    this.#retired = false;
    this.#starter.keep();
  }

  /** Is an instance kept running without requests? */
  get kept(): boolean {
    return this.#starter.isKeeping;
  }

  /** Retires the revision: its instances stop as soon as they are not in use. */
  retire(): void {
    this.#retired = true;
    this.#starter.stopKeeping();
    for (const instance of [...this.#instances.keys()]) {
      instance.revokeQuotas();
      this.changed(instance);
    }
    const successor = this.#living > 0 ? undefined : this.#shares.admission.claims.successor(this.revision);
    if (successor !== undefined) this.#fail(replaced(successor));
  }

  /** Fails all waiting requests, and starts nothing more. */
  close(): void {
    this.#starter.stopKeeping();
    this.#fail(shuttingDown());
  }

  // As the owner of its instances

  changed(instance: Instance<R>): void {
    if (instance.state === 'gone') this.#remove(instance);
    else if (instance.overdue) this.#instances.get(instance)?.leaveRoom(instance.stopReason === 'capacity');
    if (neverStops(this.revision.idle) && !this.#retired) this.#starter.changed(instance);
    if (instance.dismissed !== undefined && instance.idle) {
      void instance.stop(instance.dismissed);
      return;
    }
    if (this.#retired && instance.idle && this.pending === 0) {
      void instance.stop('retired');
      return;
    }
    if (this.pending > 0) this.#advance();
    else if (instance.interrupted) this.#resume(instance);
    this.#starter.look();
    this.#owner.changed(this);
  }

  identified(instance: Instance<R>, id: string, before: string | undefined): void {
    this.#owner.identified(instance, id, before);
  }

  unknown(): void {
    this.#fail(runtimeUnavailable(undefined));
  }

  doubt(): void {
    this.#owner.doubt();
  }

  tell(event: InstanceEvent, { id }: Instance<R>): void {
    this.#owner.tell(event, this.revision, id);
  }

  // Private

  /** The number of instances that serve or will. */
  get #living(): number {
    let living = 0;
    for (const { leaving } of this.#instances.keys()) if (!leaving) living += 1;
    return living;
  }

  get #wanted(): number {
    let inUse = 0;
    for (const { load, leaving } of this.#instances.keys()) if (!leaving) inUse += load;
    return wantedScale(this.revision, { waiting: this.pending, inUse, isKept: this.kept });
  }

  async #wait(signal: AbortSignal | undefined): Promise<Lease<Instance<R>>> {
    signal?.throwIfAborted();
    const { room, maxPending } = this.#shares;
    const { service } = this.revision;
    this.#starter.check();
    if (this.pending >= maxPending || !room.enter()) throw queueFull(service, this.pending);
    try {
      const lease = this.#waiters.wait(signal);
      this.#advance();
      return await lease;
    } finally {
      room.leave();
      this.#owner.changed(this);
    }
  }

  /** Looks at the current state and does the next thing. */
  #advance(): void {
    this.#waiters.serve(() => choose(this.#instances.keys()));
    if (this.pending === 0 || this.#isRecalling()) return;
    while (this.#isMissing()) {
      const asleep = [...this.#instances.keys()].filter((one) => one.state === 'paused' && !one.leaving);
      const next = chooseAsleep(asleep);
      if (next !== undefined) this.#resume(next);
      else if (this.#living > 0 && this.#starter.isResting) return;
      else void this.#starter.start();
    }
  }

  /** Are there fewer instances that serve, or will, than there should be? */
  #isMissing(): boolean {
    let awake = this.#starter.queued;
    for (const { leaving, state } of this.#instances.keys()) if (!leaving && state !== 'paused') awake += 1;
    return awake < this.#wanted;
  }

  /** Recalls unused parts of quotas first; when they are returned, this is looked at again. */
  #isRecalling(): boolean {
    let isRecalling = false;
    for (const instance of this.#instances.keys())
      if (!instance.leaving && instance.recall()) isRecalling = true;
    return isRecalling;
  }

  #resume(instance: Instance<R>): void {
    this.#waiters.resumed(instance);
    instance.resume().catch((error: unknown) => {
      if (hasCode(error, 'ENGINE_UNREACHABLE')) this.#fail(error);
      void instance.recover(error);
    });
  }

  #add(place: Place<R>): Instance<R> {
    const instance = new Instance(this.revision, this.#shares.drive, this);
    this.#instances.set(instance, place);
    place.occupy(instance);
    return instance;
  }

  #remove(instance: Instance<R>): void {
    const place = this.#instances.get(instance);
    if (place === undefined) return;
    this.#instances.delete(instance);
    place.giveBack(instance.stopReason === 'capacity');
    this.#owner.gone(instance);
  }

  #fail(error: unknown): void {
    this.#waiters.fail(error);
    this.#owner.changed(this);
  }
}
