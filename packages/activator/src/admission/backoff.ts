import type { Clock } from '@cless/model';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** How long a revision rests after failed starts: 1 s, 2 s, 4 s, … up to a minute. */
export class Backoff {
  readonly #clock: Clock;
  #failures = 0;
  #until = 0;
  #cause: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The last failure. */
  get cause(): unknown {
    return this.#cause;
  }

  /** The remaining rest in milliseconds; zero if a start may be tried. */
  get remainingMs(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#until - this.#clock.now());
  }

  fail(cause: unknown): void {
    this.#until = this.#clock.now() + Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS);
    this.#failures += 1;
    this.#cause = cause;
  }

  reset(): void {
    this.#failures = 0;
    this.#cause = undefined;
  }
}
