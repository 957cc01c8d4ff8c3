import type { Clock } from './clock.ts';

/** How many instances may be warm at once; the least recently used idle one makes room for another. */
export class Capacity {
  readonly limit: number;
  readonly #clock: Clock;
  /** Stops one instance that is not in use; says whether there was one. */
  readonly #evict: () => boolean;
  readonly #waiting = new Set<() => void>();
  #used = 0;
  #leaving = 0;

  constructor(limit: number, clock: Clock, evict: () => boolean) {
    this.limit = limit;
    this.#clock = clock;
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
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const take = () => resolve(true);
    this.#waiting.add(take);
    const timer = this.#clock.after(timeoutMs, () => resolve(!this.#waiting.delete(take)));
    this.makeRoom();
    const entered = await promise;
    timer.cancel();
    return entered;
  }

  /** Takes a place for an instance that runs already. */
  adopt(): void {
    this.#used += 1;
  }

  /** Gives a place back. */
  leave(wasEvicted: boolean): void {
    this.#used -= 1;
    if (wasEvicted) this.#leaving -= 1;
    const [next] = this.#waiting;
    if (next === undefined || this.#used >= this.limit) return;
    this.#waiting.delete(next);
    this.#used += 1;
    next();
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
