import type { Clock, Timer } from '@cless/model';

/** More timers than that at one moment are a loop. */
const MAX_AT_ONCE = 1_000;

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #nowMs = 0;
  #timers: { dueMs: number; order: number; callback: () => void }[] = [];
  #order = 0;

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + ms, order: this.#order++, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }

  /** How many timers are armed. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and all that is due happen in its order, with everything that follows from it at once. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    let atOnce = 0;
    await settle();
    for (;;) {
      const next = this.#timers
        .filter(({ dueMs }) => dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      atOnce = next.dueMs > this.#nowMs ? 0 : atOnce + 1;
      if (atOnce > MAX_AT_ONCE)
        throw new Error(`time stands still at ${this.#nowMs} ms: a timer of 0 ms arms the next`);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets all promises that can be settled now be settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
