import type { Socket } from 'node:net';

/** How much is kept, in bytes; then nothing more is read. */
const MAX_EARLY_BYTES = 64 * 1024;

/**
 * What a client sends on a connection that Node's HTTP server has given away, until somebody takes it. Who does not read
 * does not see that the client leaves: if it ends its side meanwhile, the connection is closed.
 */
export class EarlyBytes {
  readonly #socket: Socket;
  readonly #chunks: Buffer[];
  #length: number;

  /** @param head what came along with the request */
  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#chunks = [head];
    this.#length = head.length;
    socket.on('data', this.#keep).once('end', this.#onEnd).resume();
  }

  /** All that has come; from now on the connection is the caller's to read. */
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
