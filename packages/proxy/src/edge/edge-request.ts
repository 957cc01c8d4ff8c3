import { IncomingMessage } from 'node:http';
import type { BodyReader, Incoming, Peer } from '../exchange/incoming.ts';

/** The request object of Node's HTTP server, extended so that no second object is needed. */
export class EdgeRequest extends IncomingMessage implements Incoming {
  declare readonly method: string;
  expectsContinue = false;
  #reader: BodyReader | undefined;

  get target(): string {
    return this.url ?? '';
  }

  get scheme(): 'http' | 'https' {
    return 'encrypted' in this.socket ? 'https' : 'http';
  }

  get peer(): Peer {
    return this.socket;
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  readBody(reader: BodyReader): void {
    this.#reader = reader;
    this.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  discardBody(): void {
    if (this.#reader !== undefined) {
      this.#reader = undefined;
      this.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    }
    this.resume();
  }

  // Private. Listeners are called with the emitter as `this`.

  #onData(chunk: Buffer): void {
    this.#reader?.onData(chunk);
  }

  #onEnd(): void {
    this.#reader?.onEnd();
  }

  #onClose(): void {
    if (!this.complete) this.#reader?.onBroken();
  }
}
