import type { Clock } from './clock.ts';

/** Lets so many starts run at once; the others get their turn in the order in which they came. */
export class StartQueue {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Resolves with the end of the turn when it is the caller's turn; with nothing if it did not come in time. */
  async turn(timeoutMs: number): Promise<(() => void) | undefined> {
    if (this.#running < this.#limit) {
      this.#running += 1;
      return this.#turn();
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const take = () => resolve(true);
    this.#waiting.add(take);
    const timer = this.#clock.after(timeoutMs, () => resolve(!this.#waiting.delete(take)));
    const came = await promise;
    timer.cancel();
    return came ? this.#turn() : undefined;
  }

  // Private

  #turn(): () => void {
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#running -= 1;
      } else {
        this.#waiting.delete(next);
        next(); // takes this place over
      }
    };
  }
}
