import type { Clock } from '@cless/model';

/** How long others are preferred to an instance that has failed, in milliseconds: for the next try of who saw it fail. */
const FRESH_MS = 5_000;

/** That an instance failed to answer, for a while. */
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
