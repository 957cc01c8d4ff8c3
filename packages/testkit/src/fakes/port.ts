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
   * Creates both ends. As with Node's channel, messages arrive in order as JSON, and those that have accumulated
   * arrive in a row, without promises settling in between.
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

  /** Closes the channel, as when a process ends; both ends are told. */
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
