import type { Clock } from '@cless/model';

/** How an instance is used: its open leases, and since when none of them keeps it awake. */
export class Usage {
  readonly #clock: Clock;
  #leases = 0;
  /** The open leases that keep it awake. */
  #waking = 0;
  #idleSinceMs: number;

  /** @param idleSinceMs in the clock's time; -Infinity if it has never been in use */
  constructor(clock: Clock, idleSinceMs = clock.now()) {
    this.#clock = clock;
    this.#idleSinceMs = idleSinceMs;
  }

  get leases(): number {
    return this.#leases;
  }

  /** In the clock's time. */
  get idleSinceMs(): number {
    return this.#idleSinceMs;
  }

  /** How long no lease has kept it awake, in milliseconds. Meaningless while one does. */
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

  /** Restarts the idle clock, as of `msAgo` milliseconds ago. */
  touch(msAgo = 0): void {
    this.#idleSinceMs = Math.max(this.#idleSinceMs, this.#clock.now() - msAgo);
  }
}
