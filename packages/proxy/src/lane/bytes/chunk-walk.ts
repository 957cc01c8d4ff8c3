import { isTextByte, isTokenByte } from './head-scan.ts';

const CR = 13;
const LF = 10;
const SPACE = 32;
const QUOTE = 34;
const COLON = 58;
const SEMICOLON = 59;
const EQUALS = 61;
const BACKSLASH = 92;

/** How long a line with the size of a chunk may be, in bytes. Its extensions are of no use to anybody. */
const MAX_SIZE_LINE = 4096;
const MAX_TRAILERS = 16 * 1024;
const MAX_DIGITS = 8;
const EMPTY_LINE_BYTES = 2;
/** Trailers that would frame the message (RFC 9110 §6.5.1), which llhttp refuses too. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

type State =
  | typeof SIZE
  | typeof EXTENSION
  | typeof EXTENSION_NAME
  | typeof EXTENSION_VALUE
  | typeof QUOTED
  | typeof QUOTED_PAIR
  | typeof QUOTED_END
  | typeof SIZE_LF
  | typeof DATA
  | typeof DATA_CR
  | typeof DATA_LF
  | typeof TRAILER
  | typeof TRAILER_NAME
  | typeof TRAILER_VALUE
  | typeof TRAILER_LF
  | typeof END_LF
  | typeof ENDED;
const SIZE = 0;
const EXTENSION = 1;
const EXTENSION_NAME = 2;
const EXTENSION_VALUE = 3;
const QUOTED = 4;
const QUOTED_PAIR = 5;
const QUOTED_END = 6;
const SIZE_LF = 7;
const DATA = 8;
const DATA_CR = 9;
const DATA_LF = 10;
const TRAILER = 11;
const TRAILER_NAME = 12;
const TRAILER_VALUE = 13;
const TRAILER_LF = 14;
const END_LF = 15;
const ENDED = 16;

/**
 * Finds the data and the end of a body in chunks (RFC 9112 §7.1). Every byte between the data is checked, as strictly
 * as by llhttp: here is where most request smuggling of recent years was.
 */
export class ChunkWalk {
  #state: State = SIZE;
  /** The size of the chunk; in its data, how much of it is left. */
  #size = 0;
  #digits = 0;
  /** Of the line with the size, in bytes. */
  #lineBytes = 0;
  #plain = true;
  #trailers: Buffer[] = [];
  #trailerBytes = 0;
  /** The name of the trailer that is being read. */
  #name = '';

  reset(): void {
    this.#state = SIZE;
    this.#startSize();
    this.#plain = true;
    this.#trailers = [];
    this.#trailerBytes = 0;
  }

  /** Has the end been found? */
  get ended(): boolean {
    return this.#state === ENDED;
  }

  /** Has there been nothing but data so far, neither an extension nor a trailer? */
  get plain(): boolean {
    return this.#plain;
  }

  /** The lines of the trailers, as received; undefined if there are none, or before the end. */
  get trailers(): Buffer | undefined {
    if (!this.ended || this.#trailerBytes === 0) return undefined;
    return Buffer.concat(this.#trailers, this.#trailerBytes - EMPTY_LINE_BYTES);
  }

  /**
   * Walks on, over the bytes from `from` to `to`.
   *
   * @param onData is given where data begin and end
   * @returns how many bytes belong to the body; -1 if it is not valid
   */
  walk(bytes: Buffer, from: number, to: number, onData: (from: number, to: number) => void): number {
    let i = from;
    let trailersFrom = this.#inTrailers ? from : -1;
    while (i < to && this.#state !== ENDED) {
      if (this.#state === DATA) {
        const end = Math.min(to, i + this.#size);
        onData(i, end);
        this.#size -= end - i;
        i = end;
        if (this.#size === 0) this.#state = DATA_CR;
        continue;
      }
      const byte = bytes[i] as number;
      const next = this.#step(byte);
      if (next === undefined) return -1;
      if (next === TRAILER_NAME && trailersFrom === -1) trailersFrom = i;
      this.#state = next;
      i += 1;
    }
    if (trailersFrom !== -1 && !this.#keepTrailers(bytes, trailersFrom, i)) return -1;
    return i - from;
  }

  // Private

  get #inTrailers(): boolean {
    return this.#trailerBytes > 0;
  }

  /** The state after the byte; undefined if it is not valid. */
  #step(byte: number): State | undefined {
    switch (this.#state) {
      case SIZE: {
        const digit = hexDigit(byte);
        if (digit !== -1) {
          this.#digits += 1;
          if (this.#digits > MAX_DIGITS) return undefined;
          this.#size = this.#size * 16 + digit;
          return SIZE;
        }
        if (this.#digits === 0) return undefined;
        return byte === CR ? SIZE_LF : byte === SEMICOLON ? this.#extension() : undefined;
      }
      case EXTENSION:
        if (byte === CR) return undefined;
        return this.#extensionName(byte);
      case EXTENSION_NAME:
        return this.#extensionName(byte);
      case EXTENSION_VALUE:
        if (byte === QUOTE) return this.#more(QUOTED);
        if (isTokenByte(byte)) return this.#more(EXTENSION_VALUE);
        return this.#extensionEnd(byte);
      case QUOTED:
        if (byte === QUOTE) return this.#more(QUOTED_END);
        if (byte === BACKSLASH) return this.#more(QUOTED_PAIR);
        return isTextByte(byte) ? this.#more(QUOTED) : undefined;
      case QUOTED_PAIR:
        return isTextByte(byte) ? this.#more(QUOTED) : undefined;
      case QUOTED_END:
        return this.#extensionEnd(byte);
      case SIZE_LF:
        if (byte !== LF) return undefined;
        return this.#size === 0 ? TRAILER : DATA;
      case DATA:
        return undefined; // not walked byte by byte
      case DATA_CR:
        return byte === CR ? DATA_LF : undefined;
      case DATA_LF:
        if (byte !== LF) return undefined;
        this.#startSize();
        return SIZE;
      case TRAILER:
        if (byte === CR) return END_LF;
        if (!isTokenByte(byte)) return undefined;
        this.#plain = false;
        this.#name = String.fromCharCode(byte);
        return TRAILER_NAME;
      case TRAILER_NAME:
        if (byte === COLON) return FRAMING.has(this.#name.toLowerCase()) ? undefined : TRAILER_VALUE;
        if (!isTokenByte(byte) || this.#name.length === MAX_TRAILERS) return undefined;
        this.#name += String.fromCharCode(byte);
        return TRAILER_NAME;
      case TRAILER_VALUE:
        if (byte === CR) return TRAILER_LF;
        return isTextByte(byte) ? TRAILER_VALUE : undefined;
      case TRAILER_LF:
        return byte === LF ? TRAILER : undefined;
      case END_LF:
        return byte === LF ? ENDED : undefined;
      case ENDED:
        return undefined;
    }
  }

  #startSize(): void {
    this.#size = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  #extension(): State | undefined {
    this.#plain = false;
    return this.#more(EXTENSION);
  }

  #extensionName(byte: number): State | undefined {
    if (isTokenByte(byte)) return this.#more(EXTENSION_NAME);
    return byte === EQUALS ? this.#more(EXTENSION_VALUE) : this.#extensionEnd(byte);
  }

  #extensionEnd(byte: number): State | undefined {
    return byte === CR ? SIZE_LF : byte === SEMICOLON ? this.#more(EXTENSION) : undefined;
  }

  #more(state: State): State | undefined {
    this.#lineBytes += 1;
    return this.#lineBytes > MAX_SIZE_LINE ? undefined : state;
  }

  /** @returns false if there are too many */
  #keepTrailers(bytes: Buffer, from: number, to: number): boolean {
    this.#trailers.push(Buffer.from(bytes.subarray(from, to)));
    this.#trailerBytes += to - from;
    return this.#trailerBytes <= MAX_TRAILERS;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const small = byte | SPACE;
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1;
}
