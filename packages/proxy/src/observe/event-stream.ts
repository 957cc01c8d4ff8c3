import { randomBytes } from 'node:crypto';
import type { ActivatorEvent, RuntimeStatus } from '@cless/activator';
import { messageOf, reasonOf } from '@cless/model';

/** Something that has happened, as others are told it. */
export interface PublishedEvent {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly type: string;
  readonly service?: string;
  readonly revision?: string;
  readonly instance?: string;
  readonly [fact: string]: unknown;
}

/** How many are kept for who comes late. */
const KEPT = 1_000;

/** What happens, for whoever listens. The last events are kept, so that who was away misses nothing. */
export class EventStream {
  /** Ids of another run mean nothing here. */
  readonly #run = randomBytes(4).toString('hex');
  readonly #kept: PublishedEvent[] = [];
  readonly #listeners = new Set<(event: PublishedEvent) => void>();
  #count = 0;

  publish(event: { readonly type: string; readonly [fact: string]: unknown }): void {
    this.#count += 1;
    const published: PublishedEvent = {
      id: `${this.#run}-${this.#count}`,
      time: new Date().toISOString(),
      ...event,
    };
    this.#kept.push(published);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(published);
  }

  /**
   * Calls the listener with each event from now on; gives back how to stop that.
   *
   * @param after the id of an event: those that followed it come first, as far as they are kept
   */
  subscribe(listener: (event: PublishedEvent) => void, after?: string): () => void {
    if (after !== undefined) {
      const [run, number] = after.split('-');
      const seen = run === this.#run ? Number(number) : 0;
      const first = this.#count - this.#kept.length + 1;
      for (const event of this.#kept.slice(Math.max(0, seen + 1 - first))) listener(event);
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** An event of the activator with the facts that others may know. */
export function publicFacts(event: ActivatorEvent | RuntimeStatus): {
  readonly type: string;
  readonly [fact: string]: unknown;
} {
  if (event.type === 'runtime-connected') return { type: event.type };
  if (event.type === 'runtime-lost') return { type: event.type, message: event.error.message };
  if (!('error' in event)) return event;
  const { error, ...facts } = event;
  const { exitCode, oomKilled } = error as { exitCode?: number; oomKilled?: boolean };
  return {
    ...facts,
    reason: reasonOf(error),
    message: messageOf(error),
    ...(exitCode !== undefined && { exitCode }),
    ...(oomKilled && { oomKilled }),
  };
}
