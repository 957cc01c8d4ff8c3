import type { Clock, Timer } from '@cless/model';

/** More timers due at one moment mean an endless loop. */
const MAX_AT_ONCE = 1_000;

/** A clock that only advances when told to. */
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

  /** How many timers are pending. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Advances the clock: runs due timers in order, and after each everything that follows from it. */
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

/** Waits until all promises that can settle now have settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
