import { Failure, messageOf } from '@cless/model';

/** What carries messages to another process and back: one that was forked, or for that one `process` itself. */
export interface Port {
  send(message: Message): void;
  onMessage(listener: (message: Message) => void): void;
  /** Calls the listener when nothing comes any more. */
  onClosed(listener: () => void): void;
}

/** What goes from one to the other; each method of `ask` has its own argument and result. */
export type Message =
  | { readonly ask: number; readonly method: string; readonly argument: unknown }
  | { readonly cancel: number }
  | { readonly answer: number; readonly result?: unknown; readonly error?: WireError };

/** An error with its facts, as far as they can be sent. */
interface WireError {
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Methods by name: what each is asked with, and what it answers. */
export type Methods = { readonly [name: string]: (argument: never) => unknown };

/** A call from the other side. One of both methods is to be called, once. */
export interface Call<Result> {
  /** Aborted when the caller does not want to know any more, or is gone. */
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
 * Calls between two processes. Everything happens in the order of its messages: a call that is answered before another one
 * is made is also heard of before, which is why handlers and answers come as callbacks and not as promises.
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
   * Asks the other side. The answer comes in any case, also after `cancel` and when the other side is gone.
   *
   * @returns how to say that it is not wanted any more
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

  /** The same as a promise, where the order does not matter. */
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
    if (this.#closed) return; // what a process has said comes after its end, sometimes
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
