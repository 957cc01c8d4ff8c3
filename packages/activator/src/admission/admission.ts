import type { Clock } from '@cless/model';
import type { Revision } from '../revision.ts';
import { Capacity } from './capacity.ts';
import { StartQueue } from './start-queue.ts';
import { type Claim, type Occupant, VolumeClaims } from './volume-claims.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many starts may run at once. */
  readonly maxStarts: number;
  /** How many instances may be warm at once. */
  readonly maxInstances: number;
  /** Stops one instance that is not in use, to make room. Returns whether there was one. */
  readonly evict: () => boolean;
  /** Aborts every wait. */
  readonly closing: AbortSignal;
}

/** Why no instance may be started: nobody waits for it any more; another instance has the volumes; no room; no turn. */
export type Refusal = 'unwanted' | 'volumes-in-use' | 'no-room' | 'no-turn';

/** How long a start may wait for its turn, as a multiple of its ready timeout. */
const TURN_PATIENCE = 10;

/** Decides which instances may exist at once: by their service's volumes, in total, and by starts. */
export class Admission<R extends Revision = Revision> {
  readonly claims: VolumeClaims<R>;
  readonly #options: AdmissionOptions;
  readonly #capacity: Capacity;
  readonly #starts: StartQueue;
  /** Services with changes that have not been handled yet. */
  readonly #due = new Set<string>();
  #isLooking = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { clock, maxStarts, maxInstances } = options;
    this.claims = new VolumeClaims(clock, (service) => this.changed(service));
    this.#capacity = new Capacity(maxInstances, clock);
    this.#starts = new StartQueue(maxStarts, clock);
  }

  /** How many instances may be warm at once. */
  get maxInstances(): number {
    return this.#capacity.limit;
  }

  /**
   * Waits until an instance of the revision may be started.
   *
   * @param isWanted called while it waits: does anybody still wait for this start?
   */
  async enter(revision: R, isWanted: () => boolean): Promise<Place<R> | Refusal> {
    const { closing } = this.#options;
    const patienceMs = revision.readiness.timeoutMs;
    const claim = await this.claims.enter(revision, patienceMs * TURN_PATIENCE, isWanted, closing);
    if (claim === 'unwanted') return 'unwanted';
    if (claim === 'late') return 'volumes-in-use';
    const entered = this.#capacity.enter(patienceMs, closing);
    this.changed(revision.service); // another instance may have to leave for it
    if (!(await entered)) {
      claim.release();
      return 'no-room';
    }
    const endTurn = await this.#starts.turn(patienceMs * TURN_PATIENCE, closing);
    const place = new Place(claim, this.#capacity, endTurn);
    if (endTurn !== undefined) return place;
    place.giveBack();
    return 'no-turn';
  }

  /** The same for an instance that already runs; undefined if there is no place for it. */
  adopt(revision: R): Place<R> | undefined {
    const claim = this.claims.adopt(revision);
    if (claim === undefined) return undefined;
    if (this.#capacity.adopt()) return new Place(claim, this.#capacity, undefined);
    claim.release();
    return undefined;
  }

  /**
   * Must be called when an instance of the service, or who waits for one, has changed. Makes instances leave for
   * others, which causes further changes; these are looked at afterwards, so that no look sees another half done.
   */
  changed(service: string): void {
    if (this.#isLooking) {
      this.#due.add(service);
      return;
    }
    this.#isLooking = true;
    try {
      this.#look(service);
      while (this.#due.size > 0) {
        for (const next of this.#due) {
          this.#due.delete(next);
          this.#look(next);
        }
      }
    } finally {
      this.#isLooking = false;
    }
  }

  // Private

  #look(service: string): void {
    this.#capacity.makeRoom(this.#options.evict);
    this.claims.look(service);
  }
}

/** What an instance occupies: its service's volumes, room, and during its start a turn. */
export class Place<R extends Revision = Revision> {
  readonly #claim: Claim<R>;
  readonly #capacity: Capacity;
  /** Ends the turn; undefined for an instance that already ran. */
  readonly #endTurn: (() => void) | undefined;
  #hasRoom = true;

  constructor(claim: Claim<R>, capacity: Capacity, endTurn: (() => void) | undefined) {
    this.#claim = claim;
    this.#capacity = capacity;
    this.#endTurn = endTurn;
  }

  /** Sets the instance that has the place. */
  occupy(instance: Occupant<R>): void {
    this.#claim.instance = instance;
  }

  /** Called when the start is over, successful or not. */
  started(): void {
    this.#endTurn?.();
  }

  /** Gives its room to others, but keeps the volumes while it may exist. */
  leaveRoom(wasEvicted: boolean): void {
    if (!this.#hasRoom) return;
    this.#hasRoom = false;
    this.#capacity.leave(wasEvicted);
  }

  /** Must be called when the instance is gone or was not started after all. */
  giveBack(wasEvicted = false): void {
    this.started();
    this.leaveRoom(wasEvicted);
    this.#claim.release();
  }
}
