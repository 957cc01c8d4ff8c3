import { type Clock, hasCode, shuttingDown } from '@cless/model';
import type { Admission, Place, Refusal } from './admission/admission.ts';
import { Backoff } from './admission/backoff.ts';
import { backoff, noRoom, volumesInUse } from './failures.ts';
import type { Drive } from './instance/drive.ts';
import type { Instance } from './instance/instance.ts';
import { Keeper } from './keeper.ts';
import type { Revision } from './revision.ts';

/** The pool that instances are started for. */
export interface StartedFor<R extends Revision = Revision> {
  /** The number of instances that serve or will. */
  living(): number;
  /** How many there should be. */
  wanted(): number;
  /** The number of requests that wait. */
  waiting(): number;
  /** Makes the instance that takes the place. */
  add(place: Place<R>): Instance<R>;
  /** It is about to be started: whoever gets it has waited for that. */
  starting(instance: Instance<R>): void;
  /** No instance was started, or this one did not get ready: the waiting requests fail, if no other one can serve them. */
  failed(error: unknown, instance?: Instance<R>): void;
  /** Looks at the current state and does the next thing. */
  advance(): void;
  changed(): void;
  /** Called when an instance is started again that nobody asks for. */
  restarting(failures: number): void;
}

/** Failures that are the revision's own: it rests before the next try. */
const COUNTS_AS_FAILED_START = ['START_FAILED', 'NOT_READY', 'ENGINE_REFUSED'] as const;

/** How long a start that has failed is not tried again while another instance serves, in milliseconds. */
const REST_MS = 1_000;

/** Starts the instances of one revision, with rests after failures, and keeps one running where that is wanted. */
export class Starter<R extends Revision = Revision> {
  readonly #revision: R;
  readonly #admission: Admission<R>;
  readonly #closing: AbortSignal;
  readonly #pool: StartedFor<R>;
  readonly #backoff: Backoff;
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  #queued = 0;
  #restsUntilMs = 0;

  constructor(
    revision: R,
    { drive, admission }: { readonly drive: Drive<R>; readonly admission: Admission<R> },
    pool: StartedFor<R>,
  ) {
    this.#revision = revision;
    this.#admission = admission;
    this.#closing = drive.closing;
    this.#pool = pool;
    this.#clock = drive.clock;
    this.#backoff = new Backoff(drive.clock);
    this.#keeper = new Keeper({
      clock: drive.clock,
      isMissing: () => !this.#closing.aborted && pool.living() === 0 && this.#queued === 0,
      backoffMs: () => this.#backoff.remainingMs,
      start: (failures) => {
        if (failures > 0) pool.restarting(failures);
        void this.start();
      },
    });
  }

  /** How many starts wait for room or for their turn. */
  get queued(): number {
    return this.#queued;
  }

  /** Has a start failed a moment ago, for whatever reason? While another instance serves, the next one waits. */
  get isResting(): boolean {
    return this.#backoff.remainingMs > 0 || this.#clock.now() < this.#restsUntilMs;
  }

  /** Is there anything that would be lost with it? */
  get remembers(): boolean {
    return this.#backoff.failures > 0 || this.#keeper.active;
  }

  /** Is an instance kept running without requests? */
  get isKeeping(): boolean {
    return this.#keeper.active;
  }

  /** Keeps an instance running, whether it is asked for again or not. */
  keep(): void {
    this.#keeper.begin();
  }

  stopKeeping(): void {
    this.#keeper.end();
  }

  /** To be called when an instance has changed of a revision that never stops. */
  changed(instance: Instance<R>): void {
    if (!this.#closing.aborted) this.#keeper.changed(instance);
  }

  /** To be called when there may be no instance any more. */
  look(): void {
    this.#keeper.look();
  }

  /** @throws `BACKOFF` if nothing may be started now, and nothing lives */
  check(): void {
    if (this.#pool.living() > 0 || this.#queued > 0 || this.#backoff.remainingMs === 0) return;
    const { failures, remainingMs, cause } = this.#backoff;
    throw backoff(this.#revision.service, failures, remainingMs, cause);
  }

  /** Starts an instance as soon as there is a place for it, if it is still wanted then. */
  async start(): Promise<void> {
    const pool = this.#pool;
    this.#queued += 1;
    const isWanted = () => pool.waiting() > 0 || this.isKeeping;
    const place = await this.#admission.enter(this.#revision, isWanted);
    this.#queued -= 1;
    if (typeof place === 'string') {
      this.#refused(place);
    } else if (this.#closing.aborted) {
      place.giveBack();
      this.#failed(shuttingDown());
    } else if (pool.living() >= Math.max(1, pool.wanted())) {
      place.giveBack();
      pool.advance();
    } else {
      await this.#startAt(place);
    }
  }

  // Private

  async #startAt(place: Place<R>): Promise<void> {
    const pool = this.#pool;
    const instance = pool.add(place);
    pool.starting(instance);
    try {
      await instance.start();
      this.#backoff.reset();
    } catch (error) {
      if (instance.dismissed) {
        // The instance was dismissed; the waiting requests still want one.
        instance.discard(error);
        pool.advance();
        return;
      }
      if (!this.#closing.aborted && hasCode(error, ...COUNTS_AS_FAILED_START)) this.#backoff.fail(error);
      this.#failed(error, instance); // before the next start, which would otherwise be for the same requests
      instance.discard(error);
    } finally {
      place.started();
      this.#keeper.look();
      pool.changed();
    }
  }

  /** Handles a refused start: fails the waiting requests, unless an instance is alive nevertheless. */
  #refused(why: Refusal): void {
    const { service } = this.#revision;
    if (why === 'unwanted' || (why === 'no-turn' && this.#pool.living() > 0)) this.#pool.advance();
    else if (this.#closing.aborted) this.#failed(shuttingDown());
    else if (why === 'volumes-in-use') this.#failed(volumesInUse(service));
    else if (why === 'no-room')
      this.#failed(noRoom(service, `all ${this.#admission.maxInstances} are in use`));
    else this.#failed(noRoom(service, 'too many others are being started'));
    this.#pool.changed();
  }

  #failed(error: unknown, instance?: Instance<R>): void {
    this.#restsUntilMs = this.#clock.now() + REST_MS;
    this.#pool.failed(error, instance);
    this.#keeper.failed(error);
  }
}
