import type { Clock } from '@cless/model';

/** A queue in which everyone waits in order of arrival, each up to its own timeout. */
export class PatientQueue {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves with whether the turn came in time. The caller is in the queue as soon as this returns.
   *
   * @param signal ends the wait like a timeout
   */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const take = () => resolve(true);
    const leave = () => resolve(!this.#waiting.delete(take));
    this.#waiting.add(take);
    const timer = this.#clock.after(timeoutMs, leave);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const came = await promise;
    timer.cancel();
    signal.removeEventListener('abort', leave);
    return came;
  }

  /** Gives the turn to the next. Returns false if nobody waits. */
  serveNext(): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    this.#waiting.delete(next);
    next();
    return true;
  }
}
