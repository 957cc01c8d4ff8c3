import { Failure, messageOf } from '@cless/model';

/** Carries messages to another process and back: to a forked one, or within that, to its parent. */
export interface Port {
  send(message: Message): void;
  onMessage(listener: (message: Message) => void): void;
  /** Calls the listener once, when no more messages will arrive. */
  onClosed(listener: () => void): void;
}

/** A message between two processes. Each method of `ask` has its own argument and result. */
export type Message =
  | { readonly ask: number; readonly method: string; readonly argument: unknown }
  | { readonly cancel: number }
  | { readonly answer: number; readonly result?: unknown; readonly error?: WireError };

/** An error with those of its facts that can be sent. */
interface WireError {
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Methods by name, with their arguments and results. */
export type Methods = { readonly [name: string]: (argument: never) => unknown };

/** A call from the other side. Exactly one of its two methods must be called, once. */
export interface Call<Result> {
  /** Aborted when the caller cancels the call, or is gone. */
  readonly signal: AbortSignal;
  answer(result: Result): void;
  fail(error: unknown): void;
}

export type Handlers<Served extends Methods> = {
  readonly [M in keyof Served]: (
    argument: Parameters<Served[M]>[0],
    call: Call<ReturnType<Served[M]>>,
  ) => void;
};

type OnAnswer<Result> = (...answer: [error: undefined, result: Result] | [error: Error]) => void;

/**
 * Calls between two processes. Everything happens in the order of the messages: if a call is answered before another
 * is made, the other side sees them in that order. That is why handlers and answers are callbacks and not promises.
 */
export class Channel<Asked extends Methods, Served extends Methods> {
  readonly #port: Port;
  readonly #asked = new Map<number, OnAnswer<unknown>>();
  readonly #served = new Map<number, AbortController>();
  #count = 0;
  #closed = false;

  constructor(port: Port, handlers: Handlers<Served>) {
    this.#port = port;
    port.onMessage((message) => this.#receive(message, handlers));
    port.onClosed(() => this.#close());
  }

  /**
   * Calls the other side. The callback is always called, also after `cancel` and when the other side is gone.
   *
   * @returns a function that cancels the call
   */
  ask<M extends keyof Asked & string>(
    method: M,
    argument: Parameters<Asked[M]>[0],
    onAnswer: OnAnswer<ReturnType<Asked[M]>>,
  ): () => void {
    if (this.#closed) {
      queueMicrotask(() => onAnswer(closed()));
      return () => {};
    }
    const ask = ++this.#count;
    this.#asked.set(ask, onAnswer as OnAnswer<unknown>);
    this.#port.send({ ask, method, argument });
    return () => {
      if (this.#asked.has(ask)) this.#port.send({ cancel: ask });
    };
  }

  /** The same as a promise, for use where the order does not matter. */
  call<M extends keyof Asked & string>(
    method: M,
    argument: Parameters<Asked[M]>[0],
  ): Promise<ReturnType<Asked[M]>> {
    return new Promise((resolve, reject) => {
      this.ask(method, argument, (error, result?) => {
        if (error === undefined) resolve(result as ReturnType<Asked[M]>);
        else reject(error);
      });
    });
  }

  // Private

  #receive(message: Message, handlers: Handlers<Served>): void {
    if (this.#closed) return; // messages of a process may arrive after its end
    if ('answer' in message) {
      const onAnswer = this.#asked.get(message.answer);
      this.#asked.delete(message.answer);
      if (message.error === undefined) onAnswer?.(undefined, message.result);
      else onAnswer?.(fromWire(message.error));
    } else if ('cancel' in message) {
      this.#served.get(message.cancel)?.abort(new Error('cancelled'));
    } else {
      this.#serve(message, handlers);
    }
  }

  #serve({ ask, method, argument }: Extract<Message, { ask: number }>, handlers: Handlers<Served>): void {
    const controller = new AbortController();
    this.#served.set(ask, controller);
    const send = (answer: { result?: unknown; error?: WireError }) => {
      if (this.#served.delete(ask) && !this.#closed) this.#port.send({ answer: ask, ...answer });
    };
    const fail = (error: unknown) => send({ error: toWire(error) });
    try {
      handlers[method]?.(argument as never, {
        signal: controller.signal,
        answer: (result) => send({ result }),
        fail,
      });
    } catch (error) {
      fail(error);
    }
  }

  #close(): void {
    this.#closed = true;
    for (const onAnswer of this.#asked.values()) onAnswer(closed());
    this.#asked.clear();
    for (const controller of this.#served.values()) controller.abort(closed());
    this.#served.clear();
  }
}

function closed(): Failure {
  return new Failure('CHANNEL_CLOSED', 'the other process is gone');
}

function toWire(error: unknown): WireError {
  const facts = error instanceof Error ? Object.entries(error) : [];
  return {
    message: messageOf(error),
    facts: Object.fromEntries(
      facts.filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
    ),
  };
}

function fromWire({ message, facts }: WireError): Error {
  return Object.assign(new Error(message), facts);
}
