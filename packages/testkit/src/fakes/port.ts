import type { Clock } from '@cless/model';

/** One end of a channel between two processes. */
export class FakePort<Message> {
  readonly #clock: Clock;
  readonly #latencyMs: () => number;
  readonly #listeners: ((message: Message) => void)[] = [];
  readonly #closers: (() => void)[] = [];
  readonly #inbox: string[] = [];
  #other: FakePort<Message> | undefined;
  #closed = false;

  private constructor(clock: Clock, latencyMs: () => number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /**
   * Both ends. As with Node's own, messages arrive in their order as JSON, and all that have come meanwhile in a row, without
   * a promise being settled in between.
   */
  static pair<Message>(clock: Clock, latencyMs = () => 0): [FakePort<Message>, FakePort<Message>] {
    const one = new FakePort<Message>(clock, latencyMs);
    const other = new FakePort<Message>(clock, latencyMs);
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  send(message: Message): void {
    const other = this.#other;
    if (this.#closed || other === undefined) return;
    other.#inbox.push(JSON.stringify(message));
    this.#clock.after(this.#latencyMs(), () => other.#deliver());
  }

  onMessage(listener: (message: Message) => void): void {
    this.#listeners.push(listener);
  }

  onClosed(listener: () => void): void {
    this.#closers.push(listener);
  }

  /** The end of one process, which both hear of. */
  close(): void {
    for (const port of [this, this.#other]) {
      if (port === undefined || port.#closed) continue;
      port.#closed = true;
      for (const closer of port.#closers) closer();
    }
  }

  // Private

  #deliver(): void {
    for (const text of this.#inbox.splice(0)) {
      for (const listener of this.#listeners) if (!this.#closed) listener(JSON.parse(text));
    }
  }
}
