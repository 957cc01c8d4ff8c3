import type { Clock, Timer } from '@cless/model';

/** The result of a comparison with the runtime's list. */
export interface Comparison {
  /** How many instances were listed. */
  readonly listed: number;
  /** Has it been decided for each what becomes of it? */
  readonly isDone: boolean;
}

export interface RoundsOptions {
  readonly clock: Clock;
  /** Rejects if the runtime does not answer. */
  readonly compare: () => Promise<Comparison>;
  /** Is there anything that could differ from what is believed? */
  readonly isWorthwhile: () => boolean;
  /** Called after each comparison, with the error if it failed, else with undefined. */
  readonly compared: (error: unknown) => void;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
/** How often to compare without a reason, give or take a quarter, in milliseconds; an event may have been lost. */
const EVERY_MS = 60_000;

/** Decides when to compare what is believed with what the runtime lists: one comparison at a time, with rests between. */
export class Rounds {
  readonly #options: RoundsOptions;
  #closed = false;
  #soon: Timer | undefined;
  #later: Timer | undefined;
  #delayMs = FIRST_DELAY_MS;
  #running: Promise<void> | undefined;
  /** May something appear that is not listed yet, as after a call that was not answered? */
  #doubtful = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  soon(delayMs = this.#delayMs): void {
    if (this.#closed || (this.#soon !== undefined && delayMs > 0)) return;
    this.#soon?.cancel();
    this.#soon = this.#options.clock.after(delayMs, () => {
      this.#soon = undefined;
      this.#running = (this.#running ?? Promise.resolve()).then(() => this.#run());
    });
  }

  /** Called when the runtime is back: compares at once, and resets the rests. */
  atOnce(): void {
    this.#delayMs = FIRST_DELAY_MS;
    this.soon(0);
  }

  /** Called when a call was not answered, so that what it asked for may have happened or may still happen. */
  doubt(): void {
    this.#doubtful = true;
    this.soon();
  }

  /** Schedules the next comparison without a reason. */
  later(): void {
    if (this.#closed || this.#later !== undefined) return;
    const afterMs = Math.round(EVERY_MS * (0.75 + Math.random() / 2));
    this.#later = this.#options.clock.after(afterMs, () => {
      this.#later = undefined;
      this.soon(0);
    });
  }

  /** Starts no more comparisons. Resolves when none is running. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#soon?.cancel();
    this.#later?.cancel();
    await this.#running;
  }

  // Private

  async #run(): Promise<void> {
    if (this.#closed) return;
    const wasDoubtful = this.#doubtful;
    this.#doubtful = false;
    try {
      const { listed, isDone } = await this.#options.compare();
      if (this.#closed) return;
      this.#options.compared(undefined);
      if (isDone) this.#delayMs = FIRST_DELAY_MS;
      else this.#again();
      if (wasDoubtful) this.#laterAnew();
      else if (listed > 0 || this.#options.isWorthwhile()) this.later();
    } catch (error) {
      this.#doubtful ||= wasDoubtful;
      this.#options.compared(error);
      this.#again();
    }
  }

  #again(): void {
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    this.soon();
  }

  /** What appears late appears after this comparison, so wait a whole round. */
  #laterAnew(): void {
    this.#later?.cancel();
    this.#later = undefined;
    this.later();
  }
}
