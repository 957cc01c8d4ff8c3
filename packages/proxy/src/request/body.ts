import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** More was sent than may be. */
class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly code = 'BODY_TOO_LARGE';
  readonly limit: number;

  constructor(limit: number) {
    super(`the body is larger than ${limit} bytes`);
    this.limit = limit;
  }
}

/**
 * The body of a client's request, as a stream of its own: the HTTP clients destroy what they are given when an
 * instance answers before it has read everything, and with the request itself the client's connection would go.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  #length = 0;
  #started = false;

  constructor(request: IncomingMessage, limit: number) {
    super();
    this.#request = request;
    this.#limit = limit;
  }

  /** Has anything been taken from the request? If not, another one can be made of it. */
  get started(): boolean {
    return this.#started;
  }

  override _read(): void {
    if (this.#started) {
      this.#request.resume();
      return;
    }
    this.#started = true;
    this.#request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    if (this.#started) this.#request.resume(); // whatever still comes is for nobody
    callback(error);
  }

  // Private

  readonly #onData = (chunk: Buffer) => {
    this.#length += chunk.length;
    if (this.#length > this.#limit) this.destroy(new BodyTooLargeError(this.#limit));
    else if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = () => {
    this.push(null);
  };

  readonly #onClose = () => {
    if (!this.#request.complete) this.destroy(new Error('the client left'));
  };
}
