import type { Clock, Timer } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { InstanceState } from './state.ts';
import type { Usage } from './usage.ts';

/** Does an instance keep running however long it is idle? */
export function neverStops({ pauseAfterMs, stopAfterMs }: Revision['idle']): boolean {
  return pauseAfterMs === undefined && stopAfterMs === undefined;
}

/**
 * How long an instance must be idle until the next step (pause or stop) is due, in milliseconds; undefined means
 * never.
 */
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

/**
 * Calls back when an instance has been idle for long enough. One timer serves many leases: it checks again when it
 * fires.
 */
export class IdleClock {
  readonly #clock: Clock;
  readonly #usage: Usage;
  readonly #stepMs: () => number | undefined;
  readonly #fired: () => void;
  #timer: Timer | undefined;

  /** @param stepMs how long it must be idle until `fired` is called; undefined means never */
  constructor(clock: Clock, usage: Usage, stepMs: () => number | undefined, fired: () => void) {
    this.#clock = clock;
    this.#usage = usage;
    this.#stepMs = stepMs;
    this.#fired = fired;
  }

  /** Has the instance been idle for long enough? */
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
