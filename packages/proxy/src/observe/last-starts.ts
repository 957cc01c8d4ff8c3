import type { ActivatorEvent } from '@cless/activator';
import { messageOf, reasonOf } from '@cless/model';

/** The last attempt to start a service. */
export interface LastStart {
  readonly service: string;
  readonly revision: string;
  /** When it began or failed, in ISO 8601. */
  readonly at: string;
  /** Why it failed; undefined if it did not. */
  readonly failure?: {
    /** The reason as in events, for example `not-ready`. */
    readonly reason: string;
    readonly message: string;
    readonly lastLogLines: readonly string[];
  };
}

/** The most services to remember. */
const MAX_SERVICES = 1_000;

/** Remembers how the last start of each service went, which outlives its container. */
export class LastStarts {
  readonly #of = new Map<string, LastStart>();

  note(event: ActivatorEvent): void {
    const { service, revision } = event;
    const at = new Date().toISOString();
    switch (event.type) {
      case 'starting':
        // Keeps the previous failure until this start is ready.
        this.#set({ at, ...this.#of.get(service), service, revision });
        return;
      case 'ready':
      case 'adopted':
        this.#set({ service, revision, at });
        return;
      case 'start-failed': {
        const { error, lastLogLines } = event;
        const failure = { reason: reasonOf(error), message: messageOf(error), lastLogLines };
        this.#set({ service, revision, at, failure });
        return;
      }
    }
  }

  of(service: string): LastStart | undefined {
    return this.#of.get(service);
  }

  // Private

  #set(start: LastStart): void {
    this.#of.delete(start.service);
    this.#of.set(start.service, start);
    const [oldest] = this.#of.keys();
    if (this.#of.size > MAX_SERVICES && oldest !== undefined) this.#of.delete(oldest);
  }
}
