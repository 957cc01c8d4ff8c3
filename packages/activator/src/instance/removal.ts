import type { Clock, Runtime } from '@cless/model';
import { rest } from '../rest.ts';

export interface RemovalOptions {
  readonly runtime: Pick<Runtime, 'stop'>;
  readonly clock: Clock;
  /** Is there no time left to try again? */
  readonly isLast: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Has the runtime stop and remove an instance, again and again if it fails, until the instance is gone. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #over = new AbortController();

  constructor(options: RemovalOptions) {
    this.#options = options;
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
    this.#over.abort();
  }

  // Private

  async #try(id: string, graceMs: number): Promise<boolean> {
    const { runtime, clock, isLast, onFailure } = this.#options;
    const { signal } = this.#over;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      try {
        await runtime.stop(id, { graceMs });
        return true;
      } catch (error) {
        if (signal.aborted) return true;
        onFailure(error);
        if (isLast()) return false;
      }
      await rest(clock, retryMs, signal);
      if (signal.aborted) return true;
    }
  }
}
