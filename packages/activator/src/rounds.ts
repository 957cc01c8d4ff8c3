import type { Clock, Timer } from '@cless/model';

/** What a comparison with the runtime's list has found. */
export interface Comparison {
  /** How many instances are listed. */
  readonly listed: number;
  /** Is it known of each what becomes of it? */
  readonly isDone: boolean;
}

export interface RoundsOptions {
  readonly clock: Clock;
  /** Rejects if the runtime cannot be asked. */
  readonly compare: () => Promise<Comparison>;
  /** Is there anything that could be otherwise than is believed? */
  readonly isWorthwhile: () => boolean;
  /** Called after each comparison, with why there was none if it failed. */
  readonly compared: (error: unknown) => void;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
/** So often everything is compared without a reason, give or take a quarter: an event may have been lost. */
const EVERY_MS = 60_000;

/** When to compare what is believed with what the runtime lists: one comparison after the other, with rests between. */
export class Rounds {
  readonly #options: RoundsOptions;
  #closed = false;
  #soon: Timer | undefined;
  #later: Timer | undefined;
  #delayMs = FIRST_DELAY_MS;
  #running: Promise<void> | undefined;
  /** May something come to be that is not listed yet, as after a call that was not answered? */
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

  /** The runtime is back: how long it was away says nothing of how long to rest from now on. */
  atOnce(): void {
    this.#delayMs = FIRST_DELAY_MS;
    this.soon(0);
  }

  /** A call was not answered: what it asked for may have happened, or happen yet. */
  doubt(): void {
    this.#doubtful = true;
    this.soon();
  }

  /** Now and then. */
  later(): void {
    if (this.#closed || this.#later !== undefined) return;
    const afterMs = Math.round(EVERY_MS * (0.75 + Math.random() / 2));
    this.#later = this.#options.clock.after(afterMs, () => {
      this.#later = undefined;
      this.soon(0);
    });
  }

  /** Begins no more comparisons; resolves when none is under way. */
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

  /** What comes late comes after this comparison: a whole round for it. */
  #laterAnew(): void {
    this.#later?.cancel();
    this.#later = undefined;
    this.later();
  }
}
