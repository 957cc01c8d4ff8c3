import type { Clock } from '@cless/model';

/** How much an instance is in use: its open leases, and since when none of them keeps it awake. */
export class Usage {
  readonly #clock: Clock;
  #leases = 0;
  /** Those of them that keep it awake. */
  #waking = 0;
  #idleSinceMs: number;

  /** @param idleSinceMs on the clock; -Infinity if it never was in use */
  constructor(clock: Clock, idleSinceMs = clock.now()) {
    this.#clock = clock;
    this.#idleSinceMs = idleSinceMs;
  }

  get leases(): number {
    return this.#leases;
  }

  /** On the clock. */
  get idleSinceMs(): number {
    return this.#idleSinceMs;
  }

  /** For so long no lease has kept it awake; while one does, that means nothing. */
  get idleMs(): number {
    return this.#clock.now() - this.#idleSinceMs;
  }

  begin(keepsAwake: boolean): void {
    this.#leases += 1;
    if (keepsAwake) this.#waking += 1;
  }

  end(keptAwake: boolean): void {
    this.#leases -= 1;
    if (!keptAwake) return;
    this.#waking -= 1;
    if (this.#waking === 0) this.touch();
  }

  /** Starts the idle clock anew, or sets it to when somebody else had it in use, so many milliseconds ago. */
  touch(msAgo = 0): void {
    this.#idleSinceMs = Math.max(this.#idleSinceMs, this.#clock.now() - msAgo);
  }
}
