import type { Clock, Timer } from '@cless/model';
import { rest } from '../rest.ts';
import type { Runtime } from '../runtime.ts';

export interface RemovalOptions {
  readonly runtime: Pick<Runtime, 'stop'>;
  readonly clock: Clock;
  /** Aborted when there is no time for another attempt. */
  readonly closing: AbortSignal;
  readonly onFailure: (error: unknown) => void;
  /** Called once, if it takes too long. */
  readonly onOverdue: () => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** How long a removal may take on top of its grace period before nobody waits for it any more, in milliseconds. */
const REMOVAL_MS = 10_000;

/** Stops and removes an instance, trying again until it is gone. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #over = new AbortController();
  #isOverdue = false;
  #patience: Timer | undefined;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** Has it taken too long, so that the instance's place may be given to another? */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** Starts the time limit: the grace period and a little more, in milliseconds. */
  begin(graceMs: number): void {
    this.#patience = this.#options.clock.after(graceMs + REMOVAL_MS, () => {
      this.#isOverdue = true;
      this.#options.onOverdue();
    });
  }

  /**
   * Resolves with true when the instance is gone, with false if the runtime failed and there was no time for another
   * attempt.
   */
  async run(id: string, graceMs: number): Promise<boolean> {
    const { signal } = this.#over;
    if (signal.aborted) return true;
    const { promise: over, resolve } = Promise.withResolvers<boolean>();
    const end = () => resolve(true);
    signal.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([over, this.#try(id, graceMs)]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /** Called when the instance is gone for any reason, so that nobody waits for the runtime's answer. */
  over(): void {
    this.#patience?.cancel();
    this.#over.abort();
  }

  // Private

  async #try(id: string, graceMs: number): Promise<boolean> {
    const { runtime, clock, closing, onFailure } = this.#options;
    const { signal } = this.#over;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      try {
        await runtime.stop(id, { graceMs });
        return true;
      } catch (error) {
        if (signal.aborted) return true;
        onFailure(error);
        if (closing.aborted) return false;
      }
      await rest(clock, retryMs, signal);
      if (signal.aborted) return true;
    }
  }
}
