import { randomBytes } from 'node:crypto';
import type { ActivatorEvent, RuntimeStatus } from '@cless/activator';
import { hasCode, messageOf, reasonOf } from '@cless/model';

/** An event as published to others. */
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

/** How many events are kept for listeners that reconnect. */
const KEPT = 1_000;

/** Publishes events to listeners. Keeps the latest ones, so that a listener that reconnects misses none. */
export class EventStream {
  /** Part of each id, so that ids of another run are not mistaken for ours. */
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
   * Calls the listener with each event from now on. Returns a function that unsubscribes.
   *
   * @param after the id of an event; later events that are still kept are delivered first
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

/** The facts of an activator event that may be published. */
export function publicFacts(event: ActivatorEvent | RuntimeStatus): {
  readonly type: string;
  readonly [fact: string]: unknown;
} {
  if (event.type === 'runtime-connected') return { type: event.type };
  if (event.type === 'runtime-lost') return { type: event.type, message: event.error.message };
  if (!('error' in event)) return event;
  const { error, ...facts } = event;
  const told = { ...facts, reason: reasonOf(error), message: messageOf(error) };
  if (!hasCode(error, 'START_FAILED')) return told;
  const { exitCode, oomKilled } = error;
  return { ...told, ...(exitCode !== undefined && { exitCode }), ...(oomKilled && { oomKilled }) };
}
