import type { Clock } from '@cless/model';
import { PatientQueue } from './patient-queue.ts';

/** Limits how many instances are warm at once. Starts without a place wait until one is given back. */
export class Capacity {
  readonly limit: number;
  readonly #waiting: PatientQueue;
  #used = 0;
  /** How many instances are stopping to make room. */
  #leaving = 0;

  constructor(limit: number, clock: Clock) {
    this.limit = limit;
    this.#waiting = new PatientQueue(clock);
  }

  /**
   * Takes a place, waiting for one if there is none. Resolves with false if there was none in time. The caller is
   * waiting as soon as this returns: see {@link makeRoom}.
   */
  async enter(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#used < this.limit && this.#waiting.size === 0) {
      this.#used += 1;
      return true;
    }
    return this.#waiting.wait(timeoutMs, signal);
  }

  /** Takes a place for an instance that already runs. Returns false if there is none, or others wait for it. */
  adopt(): boolean {
    if (this.#used >= this.limit || this.#waiting.size > 0) return false;
    this.#used += 1;
    return true;
  }

  /** Gives a place back. */
  leave(wasEvicted: boolean): void {
    this.#used -= 1;
    if (wasEvicted) this.#leaving -= 1;
    if (this.#used < this.limit && this.#waiting.serveNext()) this.#used += 1;
  }

  /**
   * Makes one instance leave for each waiting start. Must be called when a start waits or an instance has become
   * idle.
   *
   * @param evict stops one instance that is not in use, and returns whether there was one; must not call back
   */
  makeRoom(evict: () => boolean): void {
    while (this.#leaving < this.#waiting.size && evict()) this.#leaving += 1;
  }
}
