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

/** Who has an instance. */
export interface InstanceOwner<R extends Revision = Revision> {
  /** Called after each change of the state, and when leases end that somebody may wait for. */
  changed(instance: Instance<R>): void;
  /** The runtime has given it its id, in place of one that it had before. */
  identified(instance: Instance<R>, id: string, before: string | undefined): void;
  /** It takes no connections, and the runtime does not say how it is. */
  unknown(instance: Instance<R>): void;
  /** What is really there should be looked at soon. */
  doubt(): void;
  tell(event: InstanceEvent, instance: Instance<R>): void;
}

/** One running copy of a revision: its leases, its idle clock, and through its parts the calls that change its state. */
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
      refused: () => this.revokeQuotas(), // who has one does not know of the examination
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

  /** Is it with the runtime, which may make it under another id yet? */
  get launching(): boolean {
    return this.state === 'starting' && !this.#launch.isMade;
  }

  /** Has its removal taken longer than it may? Then its place is somebody else's. */
  get overdue(): boolean {
    return this.#ending.isOverdue;
  }

  /** Open leases that were given out here, and not by who holds a quota. */
  get leases(): number {
    return this.#occupancy.usage.leases;
  }

  /** Is it in use, as far as is known? Of a quota that is known when it has been revoked. */
  get inUse(): boolean {
    return this.#occupancy.inUse;
  }

  get idleSinceMs(): number {
    return this.#occupancy.usage.idleSinceMs;
  }

  /** Why it is to go as soon as it is not in use, whoever waits. */
  get dismissed(): StopReason | undefined {
    return this.#dismissed;
  }

  /** May a lease be given out? */
  get available(): boolean {
    return this.#serves && this.#occupancy.room > 0;
  }

  /** Did it fail to answer a moment ago? */
  get isSuspect(): boolean {
    return this.#suspicion.isFresh;
  }

  /** Leases that are open, or given out in quotas; of a quota without a limit that counts as one. */
  get load(): number {
    return this.#occupancy.load;
  }

  /** Will it serve no more? */
  get leaving(): boolean {
    return this.#dismissed !== undefined || this.state === 'stopping' || this.state === 'gone';
  }

  /** Was it paused by hand while it is in use, so that it is to be woken? */
  get interrupted(): boolean {
    return this.state === 'paused' && this.inUse && !this.#sleep.isResting;
  }

  /** Is it neither in use nor on its way? */
  get idle(): boolean {
    return this.#isSettled && this.leases === 0 && !this.#occupancy.isLent;
  }

  /** Would it be idle, if those that hold quotas do not use it? */
  get maybeIdle(): boolean {
    return this.#isSettled && this.#occupancy.isLent && !this.inUse;
  }

  /**
   * Gives out a lease; only while `available`.
   *
   * @param keepsAwake does its end start the idle clock anew?
   */
  lease(activation?: Activation, keepsAwake = true): Lease<Instance<R>> {
    const { id, endpoint } = this.#body;
    if (!this.available || id === undefined || endpoint === undefined) {
      throw new Error(`no lease on an instance that is ${this.state}`);
    }
    this.#occupancy.usage.begin(keepsAwake);
    return new Lease(this, id, endpoint, activation, keepsAwake);
  }

  /** A lease has ended. */
  released(keptAwake: boolean): void {
    const wasFull = this.#occupancy.room <= 0;
    this.#occupancy.usage.end(keptAwake);
    if (!this.inUse) this.#armIdleTimer();
    else if (!wasFull) return;
    this.#owner.changed(this);
  }

  /**
   * Lets somebody give out leases by himself, for the one that is being handed over to him and half of what there is room for,
   * until that is revoked. If no lease can be given out just now, the quota is good for that one, and drains. The lease is to
   * be released when he has been told of the quota, so that no revocation overtakes that.
   *
   * @param held what he has already, to which it is added
   * @param tell tells him that it is revoked
   */
  lend(held: Quota | undefined, tell: (quota: Quota) => void): Quota {
    return this.#occupancy.lend(this.#serves, held, tell);
  }

  /** Makes a quota larger, by half of what there is room for. */
  refill(quota: Quota): void {
    if (this.available) this.#occupancy.refill(quota);
  }

  /** Has those that hold quotas return what they do not use, where others wait for it; says whether that is under way. */
  recall(): boolean {
    return this.#occupancy.recall();
  }

  /** Whoever holds a quota gives out no more leases by it, and tells how much it is in use. */
  revokeQuotas(): void {
    this.#occupancy.revoke();
  }

  /** Starts it and waits until it is ready. Rejects with the reason if it cannot be: then `discard` it. */
  start(): Promise<void> {
    return this.#launch.start();
  }

  /** Takes over an instance that runs already. Rejects if it does not get ready: then `discard` it. */
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

  /** Its start has failed: what is left of it goes, in the background, and its story is told. */
  discard(error: unknown): void {
    this.#ending.discard(error);
  }

  /** Freezes it. No lease is open, none is given out any more. */
  pause(): Promise<void> {
    return this.#sleep.pause();
  }

  /** Wakes it. Rejects with the runtime's reason if that fails: then `recover` it. */
  resume(): Promise<void> {
    return this.#sleep.resume();
  }

  /** Its resume has failed: finds out how it is, and replaces one that will not wake. */
  recover(error: unknown): Promise<void> {
    return this.#sleep.recover('resuming', error);
  }

  /** Stops and removes it, whatever it takes. One that is starting is told so and ends by itself. */
  stop(reason: StopReason): Promise<void> {
    return this.#ending.stop(reason);
  }

  /** It gets no more requests, and stops when those that it has have ended. */
  dismiss(reason: StopReason = 'requested'): void {
    if (this.leaving) return;
    this.#dismissed = reason;
    this.revokeQuotas();
    if (this.state === 'starting') void this.stop(reason);
    else this.#owner.changed(this);
  }

  /** The runtime says that it has exited. */
  exited(exit: Exit): void {
    this.#ending.exited(exit);
  }

  /** The runtime does not have it any more. */
  vanished(): void {
    this.#ending.vanished();
  }

  /** The runtime says that one of its processes was killed for want of memory. */
  ranOutOfMemory(): void {
    this.#owner.tell({ type: 'out-of-memory' }, this);
  }

  /**
   * It failed to answer, or may be otherwise than is believed: is looked at, while no lease is given out. One that ended, or
   * cannot be reached, is replaced.
   */
  examine(): Promise<void> {
    if (this.launching || this.state === 'gone') return Promise.resolve();
    this.#suspicion.begin();
    return this.#examination.run();
  }

  /** Lets go of it without stopping it: it is left to the next activator. */
  abandon(): void {
    this.#idleClock.cancel();
    this.#ending.abandon();
  }

  // Private

  /** Would leases be given out, if there is room? */
  get #serves(): boolean {
    return this.state === 'ready' && !this.#examination.isUnderWay && this.#dismissed === undefined;
  }

  get #isSettled(): boolean {
    return this.state === 'paused' || (this.state === 'ready' && !this.#examination.isUnderWay);
  }

  /** What goes with each change of the state. */
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
    // What still flows over open connections may end; without a network nothing does.
    else if (finding === 'unreachable') this.dismiss('unreachable');
    else if (finding === 'nowhere') void this.stop('unreachable');
  }

  #armIdleTimer(): void {
    if (!this.inUse && !this.#closing.aborted) this.#idleClock.arm();
  }

  #whenIdle(): void {
    // The end of the last lease, of the examination, or of a quota arms the timer again.
    if (!this.idle && !this.maybeIdle) return;
    const { stopAfterMs = Number.POSITIVE_INFINITY } = this.revision.idle;
    if (!this.#idleClock.due) this.#armIdleTimer();
    else if (this.maybeIdle) this.revokeQuotas();
    else if (this.#occupancy.usage.idleMs >= stopAfterMs) void this.stop('idle');
    else void this.pause();
  }
}
