import { Readable } from 'node:stream';
import { Failure } from '@cless/model';
import type { BodyReader, Incoming } from '../exchange/incoming.ts';

/**
 * The body of a client's request as a separate stream: HTTP clients destroy the stream they are given when an
 * instance answers before reading everything, and destroying the request itself would close the client's connection.
 */
export class RequestBody extends Readable implements BodyReader {
  readonly #incoming: Incoming;
  readonly #limit: number;
  #length = 0;
  #started = false;

  /** @param limit in bytes */
  constructor(incoming: Incoming, limit: number) {
    super();
    this.#incoming = incoming;
    this.#limit = limit;
  }

  /** Has anything been read from the request? If not, another body can be made of it. */
  get started(): boolean {
    return this.#started;
  }

  override _read(): void {
    if (this.#started) {
      this.#incoming.resume();
      return;
    }
    this.#started = true;
    this.#incoming.readBody(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#started) this.#incoming.discardBody(); // discard what is still received
    callback(error);
  }

  onData(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#limit)
      this.destroy(new Failure('BODY_TOO_LARGE', `the body is larger than ${this.#limit} bytes`));
    else if (!this.push(chunk)) this.#incoming.pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onBroken(): void {
    this.destroy(new Error('the client left'));
  }
}
