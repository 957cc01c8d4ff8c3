import type { Clock, Timer } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { InstanceState } from './state.ts';
import type { Usage } from './usage.ts';

/** Does it serve on, however long nobody asks for it? */
export function neverStops({ pauseAfterMs, stopAfterMs }: Revision['idle']): boolean {
  return pauseAfterMs === undefined && stopAfterMs === undefined;
}

/** After how much idleness something is due, in milliseconds; undefined for never. */
export function idleStepMs(
  state: InstanceState,
  { pauseAfterMs, stopAfterMs }: Revision['idle'],
  canPause: boolean,
): number | undefined {
  switch (state) {
    case 'ready': {
      const pauses =
        canPause && pauseAfterMs !== undefined && (stopAfterMs === undefined || pauseAfterMs < stopAfterMs);
      return pauses ? pauseAfterMs : stopAfterMs;
    }
    case 'paused':
      return stopAfterMs;
    default:
      return undefined;
  }
}

/** Tells when an instance has been idle for long enough. One timer serves many leases: it looks again when it fires. */
export class IdleClock {
  readonly #clock: Clock;
  readonly #usage: Usage;
  readonly #stepMs: () => number | undefined;
  readonly #fired: () => void;
  #timer: Timer | undefined;

  /** @param stepMs after how much idleness `fired` is to be called */
  constructor(clock: Clock, usage: Usage, stepMs: () => number | undefined, fired: () => void) {
    this.#clock = clock;
    this.#usage = usage;
    this.#stepMs = stepMs;
    this.#fired = fired;
  }

  /** Has it been idle for long enough? */
  get due(): boolean {
    return this.#usage.idleMs >= (this.#stepMs() ?? Number.POSITIVE_INFINITY);
  }

  arm(): void {
    const stepMs = this.#stepMs();
    if (this.#timer !== undefined || stepMs === undefined) return;
    this.#timer = this.#clock.after(Math.max(0, stepMs - this.#usage.idleMs), () => {
      this.#timer = undefined;
      this.#fired();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
