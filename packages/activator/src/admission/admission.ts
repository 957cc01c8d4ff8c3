import type { Clock } from '@cless/model';
import type { Revision } from '../revision.ts';
import { Capacity } from './capacity.ts';
import { StartQueue } from './start-queue.ts';
import { type Claim, type Occupant, VolumeClaims } from './volume-claims.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Starts at once. */
  readonly maxStarts: number;
  /** Warm instances at once. */
  readonly maxInstances: number;
  /** Stops one instance that is not in use, for another one; says whether there was one. */
  readonly evict: () => boolean;
  /** Ends every wait. */
  readonly closing: AbortSignal;
}

/** Why no instance may be started: nobody waits for it any more; another one has the volumes; no room; no turn. */
export type Refusal = 'unwanted' | 'volumes-in-use' | 'no-room' | 'no-turn';

/** How many times the time to get ready a start may wait for its turn. */
const TURN_PATIENCE = 10;

/** Which instances may be there at once: of one service's volumes, of all, and of those that are being started. */
export class Admission<R extends Revision = Revision> {
  readonly claims: VolumeClaims<R>;
  readonly #options: AdmissionOptions;
  readonly #capacity: Capacity;
  readonly #starts: StartQueue;
  /** Services whose change is yet to be looked at. */
  readonly #due = new Set<string>();
  #isLooking = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { clock, maxStarts, maxInstances } = options;
    this.claims = new VolumeClaims(clock, (service) => this.changed(service));
    this.#capacity = new Capacity(maxInstances, clock);
    this.#starts = new StartQueue(maxStarts, clock);
  }

  /** Warm instances at once. */
  get maxInstances(): number {
    return this.#capacity.limit;
  }

  /**
   * Waits until an instance of the revision may be started.
   *
   * @param isWanted asked while it waits: does anybody still wait for that start?
   */
  async enter(revision: R, isWanted: () => boolean): Promise<Place<R> | Refusal> {
    const { closing } = this.#options;
    const patienceMs = revision.readiness.timeoutMs;
    const claim = await this.claims.enter(revision, patienceMs * TURN_PATIENCE, isWanted, closing);
    if (claim === 'unwanted') return 'unwanted';
    if (claim === 'late') return 'volumes-in-use';
    const entered = this.#capacity.enter(patienceMs, closing);
    this.changed(revision.service); // somebody may have to go for it
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

  /** The same for an instance that runs already; undefined if there is no place for it. */
  adopt(revision: R): Place<R> | undefined {
    const claim = this.claims.adopt(revision);
    if (claim === undefined) return undefined;
    if (this.#capacity.adopt()) return new Place(claim, this.#capacity, undefined);
    claim.release();
    return undefined;
  }

  /**
   * To be called when an instance of the service has changed, or who waits for one. What has to go for others is told so
   * here, and changes in turn: such a change is looked at when this look is over, so that none sees another half done.
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

/** What an instance takes up: its service's volumes, room, and while it is being started a turn. */
export class Place<R extends Revision = Revision> {
  readonly #claim: Claim<R>;
  readonly #capacity: Capacity;
  /** Ends the start; undefined for what runs already. */
  readonly #endTurn: (() => void) | undefined;
  #hasRoom = true;

  constructor(claim: Claim<R>, capacity: Capacity, endTurn: (() => void) | undefined) {
    this.#claim = claim;
    this.#capacity = capacity;
    this.#endTurn = endTurn;
  }

  /** Says who has it. */
  occupy(instance: Occupant<R>): void {
    this.#claim.instance = instance;
  }

  /** The start is over, however it ended. */
  started(): void {
    this.#endTurn?.();
  }

  /** Others may have its room; the volumes are its own as long as it may be there. */
  leaveRoom(wasEvicted: boolean): void {
    if (!this.#hasRoom) return;
    this.#hasRoom = false;
    this.#capacity.leave(wasEvicted);
  }

  /** The instance is gone, or was not started after all. */
  giveBack(wasEvicted = false): void {
    this.started();
    this.leaveRoom(wasEvicted);
    this.#claim.release();
  }
}
