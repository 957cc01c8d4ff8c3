import type { Clock } from '@cless/model';
import { PatientQueue } from './patient-queue.ts';

/** Lets so many starts run at once; the others get their turn in the order in which they came. */
export class StartQueue {
  readonly #limit: number;
  readonly #waiting: PatientQueue;
  #running = 0;

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#waiting = new PatientQueue(clock);
  }

  /** Resolves with the end of the turn when it is the caller's turn; with undefined if it did not come in time. */
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
      if (!this.#waiting.serveNext()) this.#running -= 1; // else the next takes this place over
    };
  }
}
