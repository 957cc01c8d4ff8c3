import type { Clock } from '@cless/model';

/** Those that wait for their turn in the order in which they came, each as long as its patience lasts. */
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
   * Resolves with whether the turn came in time. The caller is in the queue when this returns.
   *
   * @param signal ends the wait as if it had taken too long
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

  /** Gives the turn to the next; `false` if nobody waits. */
  serveNext(): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    this.#waiting.delete(next);
    next();
    return true;
  }
}
