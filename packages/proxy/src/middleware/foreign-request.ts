import type { IncomingMessage } from 'node:http';
import type { BodyReader, Incoming, Peer } from '../exchange/incoming.ts';

/** A request parsed by another HTTP server. */
export class ForeignRequest implements Incoming {
  /** The other server has already sent `100 Continue`. */
  readonly expectsContinue = false;
  readonly #request: IncomingMessage;
  #reader: BodyReader | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  /** The target as written by the client, with what routers have stripped from it. */
  get target(): string {
    const { originalUrl, url = '' }: IncomingMessage & { readonly originalUrl?: string } = this.#request;
    return originalUrl ?? url;
  }

  get httpVersion(): string {
    return this.#request.httpVersion;
  }

  get scheme(): 'http' | 'https' {
    return 'encrypted' in this.#request.socket ? 'https' : 'http';
  }

  get peer(): Peer {
    return this.#request.socket;
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  /** Has anybody else read from its body? */
  get isTaken(): boolean {
    return this.#request.readableDidRead && this.#reader === undefined;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  readBody(reader: BodyReader): void {
    this.#reader = reader;
    this.#request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  discardBody(): void {
    this.#reader = undefined;
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).resume();
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  isPaused(): boolean {
    return this.#request.isPaused();
  }

  // Private

  readonly #onData = (chunk: Buffer) => this.#reader?.onData(chunk);
  readonly #onEnd = () => this.#reader?.onEnd();
  readonly #onClose = () => {
    if (!this.complete) this.#reader?.onBroken();
  };
}
