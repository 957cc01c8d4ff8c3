import { connect, type Socket } from 'node:net';
import type { Endpoint } from '@cless/model';

/** Who a connection to an instance works for: the exchange under way on it. */
export interface User {
  connected(): void;
  /**
   * @param bytes valid only during the call, unless `lasting`
   * @param lasting are they valid until reading goes on?
   * @returns false to stop reading until {@link InstanceConnection.resume}
   */
  received(bytes: Buffer, lasting: boolean): boolean;
  /** There is room to write again. */
  drained(): void;
  /** The instance has ended its side. */
  finished(): void;
  /** The connection is gone. @param error undefined if it was closed properly */
  gone(error: Error | undefined): void;
}

/** How long connecting may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_DELAY_MS = 60_000;
const READ_BYTES = 64 * 1024;

/**
 * What all connections read into. Whatever is read is done with before the next read, so that no buffer is allocated
 * for it; a long body, of which parts may have to wait for the client, is read into a buffer of its own.
 */
const SHARED = Buffer.allocUnsafeSlow(READ_BYTES);

/** A keep-alive connection to an instance, which carries one request at a time. */
export class InstanceConnection {
  /** Has it carried an answer since it was opened? */
  used = false;
  /** Are long bodies read, parts of which may have to be kept? */
  streaming = false;
  /** Until when it may be used while it is free, in the clock's time. */
  freeUntilMs = 0;
  readonly #socket: Socket;
  #user: User | undefined;
  #isConnected = false;
  #readBefore = 0;
  #own: Buffer | undefined;
  #error: Error | undefined;

  /** @param closed called once, when it is gone */
  constructor({ host, port }: Endpoint, closed: (connection: InstanceConnection) => void) {
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
      onread: {
        buffer: () => this.#buffer(),
        callback: (length, buffer) => this.#onBytes(length, buffer),
      },
    });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    socket
      .once('connect', () => {
        clearTimeout(timer);
        this.#isConnected = true;
        this.#user?.connected();
      })
      .on('drain', () => this.#user?.drained())
      .on('error', (error) => {
        this.#error = error;
      })
      .once('end', () => {
        if (this.#user === undefined) socket.destroy();
        else this.#user.finished();
      })
      .once('close', () => {
        clearTimeout(timer);
        closed(this);
        this.#leave()?.gone(this.#error);
      });
    this.#socket = socket;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Can it be written to? It is told to be gone only later, when all that has happened at the same time is done. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Has any byte been received for its user? */
  get answered(): boolean {
    return this.#socket.bytesRead > this.#readBefore;
  }

  /** Works for that user until `free` or `destroy`. */
  use(user: User): void {
    this.#user = user;
    this.#readBefore = this.#socket.bytesRead;
  }

  /** Is anything still to be written to the system? */
  get isWriting(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** @returns false if the instance does not read as fast; then wait for `drained` */
  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  /** @param head as Latin-1 */
  writeHead(head: string): void {
    this.#socket.write(head, 'latin1');
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Works for nobody from now on. */
  free(): void {
    this.#user = undefined;
    this.#own = undefined;
    this.streaming = false;
    this.used = true;
  }

  /** Ends it; its user is not told. */
  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  /** Ends it; its user is told with this reason. */
  breakOff(reason: Error): void {
    this.#error ??= reason;
    this.#socket.destroy();
  }

  // Private

  #leave(): User | undefined {
    const user = this.#user;
    this.#user = undefined;
    return user;
  }

  #buffer(): Buffer {
    if (!this.streaming) return SHARED;
    this.#own ??= Buffer.allocUnsafeSlow(READ_BYTES);
    return this.#own;
  }

  #onBytes(length: number, buffer: Uint8Array): boolean {
    const user = this.#user;
    if (user === undefined) {
      this.#socket.destroy(); // nobody asked for anything
      return false;
    }
    const bytes = buffer as Buffer;
    return user.received(length === bytes.length ? bytes : bytes.subarray(0, length), buffer !== SHARED);
  }
}
