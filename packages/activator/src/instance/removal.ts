import type { Clock, Timer } from '@cless/model';
import { rest } from '../rest.ts';
import type { Runtime } from '../runtime.ts';

export interface RemovalOptions {
  readonly runtime: Pick<Runtime, 'stop'>;
  readonly clock: Clock;
  /** Aborted when there is no time left to try again. */
  readonly closing: AbortSignal;
  readonly onFailure: (error: unknown) => void;
  /** Called once, if it takes longer than it may. */
  readonly onOverdue: () => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** On top of its grace period; then nobody waits for the end of a removal any more. */
const REMOVAL_MS = 10_000;

/** Has the runtime stop and remove an instance, again and again if it fails, until the instance is gone. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #over = new AbortController();
  #isOverdue = false;
  #patience: Timer | undefined;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** Has it taken longer than it may? Then the instance's place is somebody else's. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** It is to be gone after its grace period, and a little more. */
  begin(graceMs: number): void {
    this.#patience = this.#options.clock.after(graceMs + REMOVAL_MS, () => {
      this.#isOverdue = true;
      this.#options.onOverdue();
    });
  }

  /** Resolves with whether it is gone; `false` if the runtime failed and there was no time to try again. */
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

  /** It is gone, whoever did it: nobody has to wait for the runtime's answer. */
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
