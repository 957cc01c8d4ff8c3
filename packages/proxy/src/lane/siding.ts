import { Socket } from 'node:net';
import type { HeadStart } from '../request/begun.ts';

/** The connection that a siding branches off from. */
interface Main {
  readonly socket: Socket;
  /** Called when more of the request may be given. */
  wanted(): void;
  /** Called when the full way is done with the connection. */
  left(): void;
  /** Called when the full way keeps it. */
  stays(): void;
}

/**
 * A client's connection as Node's HTTP server sees it for one request: reads only what it is given, and writes through.
 * Then the connection itself is free again, while nobody knows a way to take it back from Node's server.
 */
export class Siding extends Socket {
  #headStart: HeadStart | undefined;
  readonly #main: Main;
  #hasLeft = false;
  #stays = false;

  constructor(main: Main, headStart: HeadStart) {
    super({ allowHalfOpen: true });
    this.#main = main;
    this.#headStart = headStart;
    main.socket.on('timeout', this.#onTimeout).once('close', this.#onClose);
    const { socket } = main;
    // Node's types have them as fields.
    Object.defineProperties(this, {
      bytesRead: { get: () => socket.bytesRead },
      bytesWritten: { get: () => socket.bytesWritten },
      remoteAddress: { get: () => socket.remoteAddress },
    });
  }

  /** What has been done for its request. Others may follow, on a siding that is kept: for those it is nothing. */
  takeHeadStart(): HeadStart {
    const headStart = this.#headStart ?? {};
    this.#headStart = undefined;
    return headStart;
  }

  /** @returns false if enough has been given until `wanted` is called */
  give(bytes: Buffer): boolean {
    return this.push(bytes);
  }

  /** The client has ended its side. */
  finish(): void {
    this.push(null);
  }

  /** It gets more than one request from now on, so that the connection cannot be given back. */
  stay(): void {
    this.#stays = true;
  }

  /** Called when the request has been answered. @param comesBack can the connection be given back? */
  answered(comesBack: boolean): void {
    if (comesBack && !this.#stays) this.#leave();
    else this.#main.stays();
  }

  override setTimeout(ms: number): this {
    this.#main.socket.setTimeout(ms);
    return this;
  }

  override resetAndDestroy(): this {
    this.#main.socket.resetAndDestroy();
    return this;
  }

  override _read(): void {
    this.#main.wanted();
  }

  override _write(
    chunk: Buffer | string,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#main.socket.write(chunk, encoding, done);
  }

  override _writev(
    chunks: { chunk: Buffer | string; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    const { socket } = this.#main;
    const last = chunks.length - 1;
    socket.cork();
    for (const [i, { chunk, encoding }] of chunks.entries()) {
      if (i === last) socket.write(chunk, encoding, done);
      else socket.write(chunk, encoding);
    }
    socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#main.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#main.socket.off('timeout', this.#onTimeout).off('close', this.#onClose);
    if (!this.#hasLeft) this.#main.socket.destroy();
    done(error);
    process.nextTick(() => this.emit('close', error !== null)); // as every net.Socket has to itself
  }

  // Private

  #leave(): void {
    if (this.#hasLeft || this.destroyed) return;
    this.#hasLeft = true;
    this.#main.socket.setTimeout(0);
    this.destroy();
    this.#main.left();
  }

  readonly #onTimeout = () => {
    this.emit('timeout');
  };

  readonly #onClose = () => {
    this.destroy();
  };
}
