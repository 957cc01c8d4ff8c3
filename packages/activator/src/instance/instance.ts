import type { Endpoint } from '@cless/model';
import type { Exit, InstanceEvent, StopReason } from '../event.ts';
import { type Activation, type Leasable, Lease } from '../lease.ts';
import type { Choosable } from '../policy/choose.ts';
import type { Evictable } from '../policy/evict.ts';
import type { Quota } from '../quota/quota.ts';
import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import { Body } from './body.ts';
import type { Drive } from './drive.ts';
import { Ending } from './ending.ts';
import { Examination } from './examination.ts';
import { IdleClock, idleStepMs } from './idle-clock.ts';
import { Launch } from './launch.ts';
import { Occupancy } from './occupancy.ts';
import type { Finding } from './proof.ts';
import { Sleep } from './sleep.ts';
import type { InstanceState } from './state.ts';
import { Suspicion } from './suspicion.ts';

/** The owner of an instance: its pool. */
export interface InstanceOwner<R extends Revision = Revision> {
  /** Called after each change of state, and when a lease ends that others may be waiting for. */
  changed(instance: Instance<R>): void;
  /** Called when the runtime has given it an id; `before` is the one it replaces. */
  identified(instance: Instance<R>, id: string, before: string | undefined): void;
  /** Called when the instance accepts no connections and the runtime does not answer. */
  unknown(instance: Instance<R>): void;
  /** Called when what runs should be compared soon. */
  doubt(): void;
  tell(event: InstanceEvent, instance: Instance<R>): void;
}

/** One running copy of a revision: its leases and idle clock, and through its parts the calls that change its state. */
export class Instance<R extends Revision = Revision> implements Leasable<R>, Choosable, Evictable {
  readonly revision: R;
  readonly #owner: InstanceOwner<R>;
  readonly #body: Body<R>;
  readonly #launch: Launch<R>;
  readonly #ending: Ending<R>;
  readonly #sleep: Sleep<R>;
  readonly #examination: Examination<R>;
  readonly #occupancy: Occupancy;
  readonly #idleClock: IdleClock;
  readonly #suspicion: Suspicion;
  readonly #closing: AbortSignal;
  #dismissed: StopReason | undefined;

  constructor(revision: R, drive: Drive<R>, owner: InstanceOwner<R>) {
    this.revision = revision;
    this.#owner = owner;
    this.#closing = drive.closing;
    const { clock, runtime } = drive;
    const { concurrency = Number.POSITIVE_INFINITY } = revision;
    this.#occupancy = new Occupancy(concurrency, clock, () => this.#quotaReturned());
    this.#suspicion = new Suspicion(clock);
    const stepMs = () => idleStepMs(this.state, revision.idle, runtime.capabilities.pause);
    this.#idleClock = new IdleClock(clock, this.#occupancy.usage, stepMs, () => this.#whenIdle());
    this.#body = new Body(revision, drive, {
      tell: (event) => owner.tell(event, this),
      identified: (id, before) => owner.identified(this, id, before),
      became: (state) => this.#became(state),
      moved: () => this.revokeQuotas(),
      touched: () => this.#occupancy.usage.touch(),
      doubt: () => owner.doubt(),
    });
    const changed = () => owner.changed(this);
    this.#launch = new Launch(this.#body, () => this.examine());
    this.#ending = new Ending(this.#body, this.#launch, changed);
    this.#sleep = new Sleep(this.#body, this.#ending, changed);
    this.#examination = new Examination(this.#body, this.#ending, {
      refused: () => this.revokeQuotas(), // workers do not know of the examination
      found: (finding) => this.#found(finding),
      examined: () => {
        this.#armIdleTimer();
        owner.changed(this);
      },
    });
  }

  get state(): InstanceState {
    return this.#body.state;
  }

  get id(): string | undefined {
    return this.#body.id;
  }

  get endpoint(): Endpoint | undefined {
    return this.#body.endpoint;
  }

  get stopReason(): StopReason | undefined {
    return this.#body.stopReason;
  }

  /** Is the runtime still starting it, possibly again under another id? */
  get launching(): boolean {
    return this.state === 'starting' && !this.#launch.isMade;
  }

  /** Has its removal taken too long, so that its place may be given to another? */
  get overdue(): boolean {
    return this.#ending.isOverdue;
  }

  /** The number of open leases given out here, not counting those under quotas. */
  get leases(): number {
    return this.#occupancy.usage.leases;
  }

  /** Is it known to be in use? Whether a quota is used is only known after it has been revoked. */
  get inUse(): boolean {
    return this.#occupancy.inUse;
  }

  get idleSinceMs(): number {
    return this.#occupancy.usage.idleSinceMs;
  }

  /** Why it must stop as soon as it is not in use; undefined if it need not. */
  get dismissed(): StopReason | undefined {
    return this.#dismissed;
  }

  /** May a lease be given out now? */
  get available(): boolean {
    return this.#serves && this.#occupancy.room > 0;
  }

  /** Has it failed to answer recently? */
  get isSuspect(): boolean {
    return this.#suspicion.isFresh;
  }

  /** The number of leases that are open or given out in quotas. A quota without a limit counts as one. */
  get load(): number {
    return this.#occupancy.load;
  }

  /** Will it get no more requests? */
  get leaving(): boolean {
    return this.#dismissed !== undefined || this.state === 'stopping' || this.state === 'gone';
  }

  /** Has it been paused by hand while in use, so that it must be woken? */
  get interrupted(): boolean {
    return this.state === 'paused' && this.inUse && !this.#sleep.isResting;
  }

  /** Is it ready or paused, and not in use? */
  get idle(): boolean {
    return this.#isSettled && this.leases === 0 && !this.#occupancy.isLent;
  }

  /** Is it idle unless a quota is used? */
  get maybeIdle(): boolean {
    return this.#isSettled && this.#occupancy.isLent && !this.inUse;
  }

  /**
   * Gives out a lease. Call only while `available`.
   *
   * @param keepsAwake does the end of the lease restart the idle clock?
   */
  lease(activation?: Activation, keepsAwake = true): Lease<Instance<R>> {
    const { id, endpoint } = this.#body;
    if (!this.available || id === undefined || endpoint === undefined) {
      throw new Error(`no lease on an instance that is ${this.state}`);
    }
    this.#occupancy.usage.begin(keepsAwake);
    return new Lease(this, id, endpoint, activation, keepsAwake);
  }

  /** Called when a lease ends. */
  released(keptAwake: boolean): void {
    const wasFull = this.#occupancy.room <= 0;
    this.#occupancy.usage.end(keptAwake);
    if (!this.inUse) this.#armIdleTimer();
    else if (!wasFull) return;
    this.#owner.changed(this);
  }

  /**
   * Lets a holder give out leases by itself until the quota is revoked: the one being handed over, and half of the
   * remaining room. If no lease can be given out now, the quota only covers that one, and drains. Release the lease
   * after the holder has been told of the quota, so that no revocation overtakes it.
   *
   * @param held the holder's present quota, which is enlarged
   * @param tell called to revoke it
   */
  lend(held: Quota | undefined, tell: (quota: Quota) => void): Quota {
    return this.#occupancy.lend(this.#serves, held, tell);
  }

  /** Enlarges a quota by half of the remaining room. */
  refill(quota: Quota): void {
    if (this.available) this.#occupancy.refill(quota);
  }

  /** Makes holders return unused parts of quotas if others wait for them. Returns whether that is under way. */
  recall(): boolean {
    return this.#occupancy.recall();
  }

  /** Revokes all quotas: holders give out no more leases and report how many are open. */
  revokeQuotas(): void {
    this.#occupancy.revoke();
  }

  /** Starts the instance and waits until it is ready. If this rejects, call `discard`. */
  start(): Promise<void> {
    return this.#launch.start();
  }

  /** Takes over an instance that already runs. If this rejects, since it does not get ready, call `discard`. */
  async adopt(found: RuntimeInstance): Promise<void> {
    this.#body.identify(found.id);
    const isPaused = found.state === 'paused';
    this.#owner.tell({ type: 'adopted', state: isPaused ? 'paused' : 'running' }, this);
    if (isPaused && found.endpoint !== undefined) {
      this.#body.settle(found.endpoint);
      this.#body.become('paused');
      return;
    }
    await this.#launch.adopt(found);
  }

  /** Removes, in the background, what is left after a failed start, and reports the failure. */
  discard(error: unknown): void {
    this.#ending.discard(error);
  }

  /** Freezes the instance. No lease is open, and none is given out until it is resumed. */
  pause(): Promise<void> {
    return this.#sleep.pause();
  }

  /** Wakes the instance. If this rejects with the runtime's error, call `recover`. */
  resume(): Promise<void> {
    return this.#sleep.resume();
  }

  /** After a failed resume, finds out the state of the instance, and replaces it if it cannot be woken. */
  recover(error: unknown): Promise<void> {
    return this.#sleep.recover('resuming', error);
  }

  /**
   * Stops and removes the instance, trying again until it is gone. If it is starting, the start is aborted and
   * removes it.
   */
  stop(reason: StopReason): Promise<void> {
    return this.#ending.stop(reason);
  }

  /** Gives the instance no more requests, and stops it when those it has have ended. */
  dismiss(reason: StopReason = 'requested'): void {
    if (this.leaving) return;
    this.#dismissed = reason;
    this.revokeQuotas();
    if (this.state === 'starting') void this.stop(reason);
    else this.#owner.changed(this);
  }

  /** Called when the runtime reports that it has exited. */
  exited(exit: Exit): void {
    this.#ending.exited(exit);
  }

  /** Called when the runtime does not have it any more. */
  vanished(): void {
    this.#ending.vanished();
  }

  /** Called when the runtime reports that one of its processes was killed because memory ran out. */
  ranOutOfMemory(): void {
    this.#owner.tell({ type: 'out-of-memory' }, this);
  }

  /**
   * Checks an instance that failed to answer or whose state is in doubt, giving out no leases meanwhile. Replaces it
   * if it has ended or cannot be reached.
   */
  examine(): Promise<void> {
    if (this.launching || this.state === 'gone') return Promise.resolve();
    this.#suspicion.begin();
    return this.#examination.run();
  }

  /** Lets go of the instance without stopping it; the next activator adopts it. */
  abandon(): void {
    this.#idleClock.cancel();
    this.#ending.abandon();
  }

  // Private

  /** Would leases be given out if there were room? */
  get #serves(): boolean {
    return this.state === 'ready' && !this.#examination.isUnderWay && this.#dismissed === undefined;
  }

  get #isSettled(): boolean {
    return this.state === 'paused' || (this.state === 'ready' && !this.#examination.isUnderWay);
  }

  /** Does what follows from a change of state. */
  #became(state: InstanceState): void {
    this.#idleClock.cancel();
    this.#examination.over();
    this.#launch.over();
    if (state !== 'ready') this.revokeQuotas();
    if (state !== 'paused') this.#sleep.over();
    if (state === 'stopping') this.#ending.begin();
    if (state === 'gone') this.#ending.over();
    this.#armIdleTimer();
    this.#owner.changed(this);
  }

  #quotaReturned(): void {
    if (!this.inUse) this.#armIdleTimer();
    this.#owner.changed(this);
  }

  #found(finding: Finding): void {
    if (finding === 'unknown') this.#owner.unknown(this);
    // Data may still flow over open connections, so let them finish; without a network none does.
    else if (finding === 'unreachable') this.dismiss('unreachable');
    else if (finding === 'nowhere') void this.stop('unreachable');
  }

  #armIdleTimer(): void {
    if (!this.inUse && !this.#closing.aborted) this.#idleClock.arm();
  }

  #whenIdle(): void {
    // The end of the last lease, of the examination or of a quota starts the timer again.
    if (!this.idle && !this.maybeIdle) return;
    const { stopAfterMs = Number.POSITIVE_INFINITY } = this.revision.idle;
    if (!this.#idleClock.due) this.#armIdleTimer();
    else if (this.maybeIdle) this.revokeQuotas();
    else if (this.#occupancy.usage.idleMs >= stopAfterMs) void this.stop('idle');
    else void this.pause();
  }
}
