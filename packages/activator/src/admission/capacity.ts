import type { Clock } from '@cless/model';
import { PatientQueue } from './patient-queue.ts';

/** How many instances may be warm at once. Who gets no place waits until one is given back. */
export class Capacity {
  readonly limit: number;
  readonly #waiting: PatientQueue;
  #used = 0;
  /** Instances that are on their way out to make room. */
  #leaving = 0;

  constructor(limit: number, clock: Clock) {
    this.limit = limit;
    this.#waiting = new PatientQueue(clock);
  }

  /** Takes a place; `false` if there was none in time. The caller waits for it when this returns: see {@link makeRoom}. */
  async enter(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#used < this.limit && this.#waiting.size === 0) {
      this.#used += 1;
      return true;
    }
    return this.#waiting.wait(timeoutMs, signal);
  }

  /** Takes a place for an instance that runs already, if there is one that nobody waits for. */
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
   * Has one instance go for each that waits; to be called when somebody waits, or an instance has become idle.
   *
   * @param evict stops one that is not in use; says whether there was one. What it changes is looked at later
   */
  makeRoom(evict: () => boolean): void {
    while (this.#leaving < this.#waiting.size && evict()) this.#leaving += 1;
  }
}
