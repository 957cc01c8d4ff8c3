import { Socket } from 'node:net';

/** How long connecting to an instance may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** The same as undici's own. */
const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * A connection to an instance, as read by undici. undici ends a connection on any `100 Continue`, although a client
 * must accept one it did not ask for (RFC 9110 §15.2), so we replace it with `102 Processing`, which undici ignores.
 */
export class InstanceSocket extends Socket {
  #interim: InterimAnswers | undefined;
  #readBefore = 0;

  /** Calls back once: when connected, or with the error. */
  static connect(
    { host, port }: { host: string; port: number },
    callback: (error: Error | undefined, socket: InstanceSocket) => void,
  ): InstanceSocket {
    const socket = new InstanceSocket();
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    const onError = (error: Error) => {
      clearTimeout(timer);
      callback(error, socket);
    };
    socket
      .setNoDelay(true)
      .setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
      .once('error', onError)
      .once('close', () => clearTimeout(timer))
      .connect({ host, port }, () => {
        clearTimeout(timer);
        socket.off('error', onError);
        callback(undefined, socket);
      });
    return socket;
  }

  /** Must be called before a request is written. */
  expectAnswer(): void {
    this.#interim = new InterimAnswers();
    this.#readBefore = this.bytesRead;
  }

  /** Has any byte been received since `expectAnswer`? */
  get answered(): boolean {
    return this.bytesRead > this.#readBefore;
  }

  override read(size?: number): Buffer | null {
    const chunk: Buffer | null = super.read(size);
    if (chunk !== null && this.#interim?.rewrite(chunk) === false) this.#interim = undefined;
    return chunk;
  }
}

const CR = 13;
const LF = 10;
/** The column of the status in `HTTP/1.1 100`. */
const FIRST_DIGIT = 9;
const LAST_DIGIT = 11;
const ZERO = 48;
const ONE = 49;
const TWO = 50;

/** Parses the heads of informational answers, chunk by chunk, until the final answer begins. */
export class InterimAnswers {
  /** The column in the current line. */
  #column = 0;
  #inStatusLine = true;
  #isContinue = true;

  /**
   * Replaces each status 100 in the chunk with 102, in place.
   *
   * @returns false once the final answer has begun, after which it must not be called again
   */
  rewrite(chunk: Buffer): boolean {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#inStatusLine) {
        if (this.#column === 0 && (byte === CR || byte === LF)) continue; // skip empty lines before the status line
        if (this.#column === FIRST_DIGIT && byte !== ONE) return false;
        if (this.#column > FIRST_DIGIT && byte !== ZERO) this.#isContinue = false;
        if (this.#column === LAST_DIGIT) {
          if (this.#isContinue) chunk[i] = TWO;
          this.#inStatusLine = false;
          this.#isContinue = true;
        }
        this.#column += 1;
      } else if (byte === LF) {
        if (this.#column === 0) this.#inStatusLine = true; // an empty line ends the head
        this.#column = 0;
      } else if (byte !== CR) {
        this.#column += 1;
      }
    }
    return true;
  }
}
