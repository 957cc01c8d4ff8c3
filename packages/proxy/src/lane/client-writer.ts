import type { Writable } from 'node:stream';
import { linesOf } from '../headers/lines.ts';

/** Up to this many bytes are written as one string in Latin-1, which costs least of all. */
const MAX_TEXT = 16 * 1024;

/** Gathers what is written to a client at a time, so that it takes one call of the system. */
export class ClientWriter {
  readonly #socket: Writable;
  readonly #flushed: () => void;
  #text = '';
  #isCorked = false;
  #lasts = false;

  /** @param flushed called when lasting bytes that had to wait have been sent, and all others */
  constructor(socket: Writable, flushed: () => void) {
    this.#socket = socket;
    this.#flushed = flushed;
  }

  /** @param text as Latin-1 */
  text(text: string): void {
    this.#text += text;
  }

  /** @param lasting is nothing else going to be read into their buffer? Otherwise they are copied */
  bytes(bytes: Buffer, lasting: boolean): void {
    if (bytes.length + this.#text.length <= MAX_TEXT) {
      this.#text += bytes.toString('latin1');
      return;
    }
    if (this.#text !== '') {
      this.#cork();
      this.#socket.write(this.#text, 'latin1');
      this.#text = '';
    }
    this.#lasts ||= lasting;
    if (lasting) this.#socket.write(bytes, this.#written);
    else this.#socket.write(Buffer.from(bytes));
  }

  /** Writes early hints (RFC 8297) at once, or drops them if the client does not read: there may be infinitely many. */
  writeHints(headers: readonly string[]): void {
    if (!this.#socket.writableNeedDrain)
      this.#socket.write(`HTTP/1.1 103 Early Hints\r\n${linesOf(headers)}\r\n`, 'latin1');
  }

  /**
   * Writes what has been gathered.
   *
   * @returns do any lasting bytes have to wait, so that their buffer must not be read into until `flushed`?
   */
  flush(): boolean {
    if (this.#text !== '') {
      this.#socket.write(this.#text, 'latin1');
      this.#text = '';
    }
    if (this.#isCorked) {
      this.#isCorked = false;
      this.#socket.uncork();
    }
    const keeps = this.#lasts && this.#socket.writableLength > 0;
    this.#lasts = false;
    return keeps;
  }

  // Private

  readonly #written = () => {
    if (this.#socket.writableLength === 0) this.#flushed();
  };

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
  }
}
