import type { Clock } from '@cless/model';
import { PatientQueue } from './patient-queue.ts';

/** Limits how many starts run at once; the others wait in order of arrival. */
export class StartQueue {
  readonly #limit: number;
  readonly #waiting: PatientQueue;
  #running = 0;

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#waiting = new PatientQueue(clock);
  }

  /** Waits for a turn. Resolves with the function that ends it, or with undefined if it did not come in time. */
  async turn(timeoutMs: number, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (this.#running < this.#limit) {
      this.#running += 1;
      return this.#turn();
    }
    return (await this.#waiting.wait(timeoutMs, signal)) ? this.#turn() : undefined;
  }

  // Private

  #turn(): () => void {
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (!this.#waiting.serveNext()) this.#running -= 1; // otherwise the next one takes this place
    };
  }
}
