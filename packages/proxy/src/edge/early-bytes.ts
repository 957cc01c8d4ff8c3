import type { Duplex } from 'node:stream';

/** How much is kept, in bytes. Beyond that, reading stops. */
const MAX_EARLY_BYTES = 64 * 1024;

/**
 * Keeps what a client sends on a connection that Node's HTTP server has given away, until it is taken. It must be
 * read to notice that the client leaves: if it ends its side meanwhile, the connection is closed.
 */
export class EarlyBytes {
  readonly #socket: Duplex;
  readonly #chunks: Buffer[];
  #length: number;

  /** @param head the bytes received along with the request */
  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#chunks = [head];
    this.#length = head.length;
    socket.on('data', this.#keep).once('end', this.#onEnd).resume();
  }

  /** Returns everything received so far. From now on the caller reads the connection. */
  take(): Buffer {
    this.#socket.off('data', this.#keep).off('end', this.#onEnd).pause();
    return Buffer.concat(this.#chunks.splice(0));
  }

  // Private

  readonly #keep = (chunk: Buffer) => {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > MAX_EARLY_BYTES) this.#socket.pause();
  };

  readonly #onEnd = () => {
    this.#socket.destroy();
  };
}
