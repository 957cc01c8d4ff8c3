import type { Clock } from '@cless/model';

/**
 * How long others are preferred to an instance that has failed, in milliseconds, for the retry of the request that
 * saw it fail.
 */
const FRESH_MS = 5_000;

/** Remembers for a while that an instance failed to answer. */
export class Suspicion {
  readonly #clock: Clock;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFresh(): boolean {
    return this.#clock.now() - this.#sinceMs < FRESH_MS;
  }

  begin(): void {
    this.#sinceMs = this.#clock.now();
  }
}
