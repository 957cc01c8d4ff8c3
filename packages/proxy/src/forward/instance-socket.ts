import { Socket } from 'node:net';

/** How long a connection to an instance may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** As undici's own. */
const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * A connection to an instance, as undici reads it. undici ends a connection on any `100 Continue`, although a client
 * has to live with one that it did not ask for (RFC 9110 §15.2): it is shown `102 Processing` in its place, which says
 * as little.
 */
export class InstanceSocket extends Socket {
  #interim: InterimAnswers | undefined;
  #readBefore = 0;

  /** Calls back once, when it is connected, or with why it is not. */
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

  /** To be called before a request is written. */
  expectAnswer(): void {
    this.#interim = new InterimAnswers();
    this.#readBefore = this.bytesRead;
  }

  /** Has any byte come since? */
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
/** Of `HTTP/1.1 100`, where the digits are. */
const FIRST_DIGIT = 9;
const LAST_DIGIT = 11;
const ZERO = 48;
const ONE = 49;
const TWO = 50;

/** Reads the heads of informational answers, in pieces as they come, until the answer itself begins. */
export class InterimAnswers {
  /** In the status line; after it, in the line. */
  #column = 0;
  #inStatusLine = true;
  #isContinue = true;

  /**
   * Makes each 100 in it a 102, in place.
   *
   * @returns false once the answer itself has begun: whatever follows is not for this
   */
  rewrite(chunk: Buffer): boolean {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#inStatusLine) {
        if (this.#column === 0 && (byte === CR || byte === LF)) continue; // empty lines before it are skipped
        if (this.#column === FIRST_DIGIT && byte !== ONE) return false;
        if (this.#column > FIRST_DIGIT && byte !== ZERO) this.#isContinue = false;
        if (this.#column === LAST_DIGIT) {
          if (this.#isContinue) chunk[i] = TWO;
          this.#inStatusLine = false;
          this.#isContinue = true;
        }
        this.#column += 1;
      } else if (byte === LF) {
        if (this.#column === 0) this.#inStatusLine = true; // an empty line: the end of the head
        this.#column = 0;
      } else if (byte !== CR) {
        this.#column += 1;
      }
    }
    return true;
  }
}
