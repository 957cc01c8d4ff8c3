import { InstanceSocket } from '../forward/instance-socket.ts';
import type { InstanceConnection, User } from './instance-connection.ts';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * An instance's connection as undici sees it, on which an answer has begun to come that is not for the lane: from the
 * beginning of the answer on. The request has been sent, so the head that undici writes goes nowhere.
 */
export class OddAnswer extends InstanceSocket implements User {
  readonly #connection: InstanceConnection;
  /** The end of what was written of the head; undefined when it is over. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #drained: (() => void) | undefined;
  /** What has come before undici expects an answer; undefined once it does. */
  #early: Buffer[] | undefined;
  #isFinished = false;

  /** @param received so far */
  constructor(connection: InstanceConnection, received: Buffer) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    connection.use(this);
    this.#early = [received];
  }

  override get answered(): boolean {
    return true;
  }

  /** Not only when the head has been written: undici writes it with the first part of a body, which may never come. */
  override expectAnswer(): void {
    super.expectAnswer();
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const part of early) this.push(part);
    if (this.#isFinished) this.push(null);
  }

  override _read(): void {
    if (this.#early === undefined) this.#connection.resume();
  }

  override _write(
    chunk: Buffer | string,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    const bytes = this.#afterHead(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    if (bytes.length === 0 || this.#connection.write(bytes)) done();
    else this.#drained = done;
  }

  override _writev(
    chunks: { chunk: Buffer | string; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    const parts = chunks.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    );
    this._write(Buffer.concat(parts), 'latin1', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.destroy();
    done(error);
    process.nextTick(() => this.emit('close', error !== null)); // as every net.Socket has to itself
  }

  // User

  connected(): void {}

  received(bytes: Buffer): boolean {
    const lasting = Buffer.from(bytes);
    if (this.#early === undefined) return this.push(lasting);
    this.#early.push(lasting);
    return false;
  }

  drained(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }

  finished(): void {
    this.#isFinished = true;
    if (this.#early === undefined) this.push(null);
  }

  gone(error: Error | undefined): void {
    if (error === undefined && this.#isFinished) return; // the rest is still to be read
    this.destroy(error);
  }

  // Private

  /** What of the written bytes is behind the head. */
  #afterHead(bytes: Buffer): Buffer {
    if (this.#head === undefined) return bytes;
    const written = Buffer.concat([this.#head, bytes]);
    const end = written.indexOf(END_OF_HEAD);
    if (end === -1) {
      this.#head = written;
      return written.subarray(0, 0);
    }
    this.#head = undefined;
    return written.subarray(end + END_OF_HEAD.length);
  }
}
