import type { Clock } from '@cless/model';
import { PatientQueue } from './patient-queue.ts';

/** How many instances may be warm at once; the least recently used idle one makes room for another. */
export class Capacity {
  readonly limit: number;
  /** Stops one instance that is not in use; says whether there was one. */
  readonly #evict: () => boolean;
  readonly #waiting: PatientQueue;
  #used = 0;
  #leaving = 0;

  constructor(limit: number, clock: Clock, evict: () => boolean) {
    this.limit = limit;
    this.#waiting = new PatientQueue(clock);
    this.#evict = evict;
  }

  /** Is somebody waiting for room? */
  get wanted(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes a place, after something made room if need be; `false` if nothing did in time. */
  async enter(timeoutMs: number): Promise<boolean> {
    if (this.#used < this.limit && !this.wanted) {
      this.#used += 1;
      return true;
    }
    const entered = this.#waiting.wait(timeoutMs);
    this.makeRoom();
    return entered;
  }

  /** Takes a place for an instance that runs already, if there is one that nobody waits for. */
  adopt(): boolean {
    if (this.#used >= this.limit || this.wanted) return false;
    this.#used += 1;
    return true;
  }

  /** Gives a place back. */
  leave(wasEvicted: boolean): void {
    this.#used -= 1;
    if (wasEvicted) this.#leaving -= 1;
    if (this.#used < this.limit && this.#waiting.serveNext()) this.#used += 1;
  }

  /** To be called when an instance becomes idle. */
  makeRoom(): void {
    while (this.#leaving < this.#waiting.size) {
      this.#leaving += 1; // first: what it stops calls here again
      if (this.#evict()) continue;
      this.#leaving -= 1;
      return;
    }
  }
}
