/** The head has been read to its end. */
export const DONE = 0;
/** The bytes are valid so far but the head is incomplete. */
export const MORE = 1;
/** Not certain to be read by every parser in the same way, or rare: for Node's parser. */
export const OTHER = 2;
/** Certain in its meaning and in its end, but not forwarded by the lane. */
export const ASIDE = 3;

export type Verdict = typeof DONE | typeof MORE | typeof OTHER | typeof ASIDE;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const SLASH = 47;
const ZERO = 48;
const COLON = 58;

/** Bytes of tokens (RFC 9110 §5.6.2). */
const TOKEN = 1;
/** The same without `_`, which many apps take for `-`. */
const NAME = 2;
/** Bytes of values and reasons (RFC 9110 §5.5). */
const TEXT = 4;
/** Visible ASCII without `#`. */
const TARGET = 8;

/** What each byte may be part of. */
const CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const char = String.fromCharCode(byte);
  if (/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(char)) CLASS[byte] = char === '_' ? TOKEN : TOKEN | NAME;
  if (byte === TAB || (byte >= 0x20 && byte !== 0x7f)) CLASS[byte] = (CLASS[byte] ?? 0) | TEXT;
  if (byte > 0x20 && byte < 0x7f && char !== '#') CLASS[byte] = (CLASS[byte] ?? 0) | TARGET;
}

/** Is the byte part of a token? */
export function isTokenByte(byte: number): boolean {
  return ((CLASS[byte] as number) & TOKEN) !== 0;
}

/** Is the byte part of a header's value? */
export function isTextByte(byte: number): boolean {
  return ((CLASS[byte] as number) & TEXT) !== 0;
}

/** A method and its bytes up to the target. */
interface Method {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const P = 80;
/** By the first byte, but for those with P. */
const METHODS = methodsBy(0, ['GET', 'HEAD', 'DELETE', 'OPTIONS']);
/** By the second byte. */
const METHODS_WITH_P = methodsBy(1, ['POST', 'PUT', 'PATCH']);

function methodsBy(index: number, names: readonly string[]): readonly (Method | undefined)[] {
  const methods = new Array<Method | undefined>(256).fill(undefined);
  for (const name of names) methods[name.charCodeAt(index)] = { name, bytes: Buffer.from(`${name} `) };
  return methods;
}

const REQUEST_LINE_END = Buffer.from(' HTTP/1.1\r\n');
const STATUS_LINE_BEGIN = Buffer.from('HTTP/1.');

/** How many numbers there are in `offsets` for a field. */
export const PER_FIELD = 4;

/**
 * Finds the parts of a head of HTTP/1.1 in its bytes, if all parsers agree on them. What RFC 9112 forbids or leaves
 * to the recipient is declined: bare CR or LF, folded lines, white space at the end of a line or before a colon, empty
 * lines before the head, targets that are not a path. One object reads any number of heads, one after the other.
 */
export class HeadScan {
  /** For each field where its name begins and ends, and where its value begins and ends. */
  readonly offsets: Int32Array;
  /** How many fields there are. */
  fields = 0;
  /** Where the head ends: the first byte after its empty line. */
  end = 0;
  /** Of a request. */
  method = '';
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Of an answer. */
  status = 0;
  /** Of an answer: HTTP/1.0 or HTTP/1.1. */
  minor: 0 | 1 = 1;
  reasonStart = 0;
  reasonEnd = 0;

  /** @param maxFields heads with more are declined */
  constructor(maxFields: number) {
    this.offsets = new Int32Array(maxFields * PER_FIELD);
  }

  /** Reads the head of a request that begins at `start`. */
  request(bytes: Buffer, start: number): Verdict {
    const { length } = bytes;
    if (start >= length) return MORE;
    let method = METHODS[bytes[start] as number];
    if (bytes[start] === P) {
      if (start + 1 >= length) return MORE;
      method = METHODS_WITH_P[bytes[start + 1] as number];
    }
    if (method === undefined) return OTHER;
    const begun = startsWith(bytes, start, method.bytes);
    if (begun !== DONE) return begun;
    let i = start + method.bytes.length;
    this.method = method.name;
    this.methodEnd = i - 1;
    this.targetStart = i;
    if (i >= length) return MORE;
    if (bytes[i] !== SLASH) return OTHER;
    while (i < length && ((CLASS[bytes[i] as number] as number) & TARGET) !== 0) i++;
    this.targetEnd = i;
    const ended = startsWith(bytes, i, REQUEST_LINE_END);
    if (ended !== DONE) return ended;
    return this.#readFields(bytes, i + REQUEST_LINE_END.length, NAME);
  }

  /** Reads the head of an answer that begins at `start`. */
  answer(bytes: Buffer, start: number): Verdict {
    const { length } = bytes;
    const begun = startsWith(bytes, start, STATUS_LINE_BEGIN);
    if (begun !== DONE) return begun;
    let i = start + STATUS_LINE_BEGIN.length;
    // `1 200 `
    if (i + 6 > length) return MORE;
    const minor = (bytes[i] as number) - ZERO;
    if ((minor !== 0 && minor !== 1) || bytes[i + 1] !== SPACE) return OTHER;
    this.minor = minor;
    let status = 0;
    for (let at = i + 2; at < i + 5; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return OTHER;
      status = status * 10 + digit;
    }
    if (bytes[i + 5] !== SPACE) return OTHER;
    this.status = status;
    i += 6;
    this.reasonStart = i;
    while (i < length && ((CLASS[bytes[i] as number] as number) & TEXT) !== 0) i++;
    this.reasonEnd = i;
    if (i >= length) return MORE;
    if (bytes[i] !== CR) return OTHER;
    if (i + 1 >= length) return MORE;
    if (bytes[i + 1] !== LF) return OTHER;
    return this.#readFields(bytes, i + 2, TOKEN);
  }

  // Private

  /** Reads lines up to the empty one. @param nameClass of the bytes of names */
  #readFields(bytes: Buffer, from: number, nameClass: number): Verdict {
    const { length } = bytes;
    const { offsets } = this;
    let i = from;
    let at = 0;
    for (;;) {
      if (i >= length) return MORE;
      if (bytes[i] === CR) {
        if (i + 1 >= length) return MORE;
        if (bytes[i + 1] !== LF) return OTHER;
        this.fields = at / PER_FIELD;
        this.end = i + 2;
        return DONE;
      }
      if (at === offsets.length) return OTHER;
      const nameStart = i;
      while (i < length && ((CLASS[bytes[i] as number] as number) & nameClass) !== 0) i++;
      if (i >= length) return MORE;
      if (i === nameStart || bytes[i] !== COLON) return OTHER;
      const nameEnd = i++;
      while (i < length && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
      const valueStart = i;
      while (i < length && ((CLASS[bytes[i] as number] as number) & TEXT) !== 0) i++;
      if (i >= length) return MORE;
      if (bytes[i] !== CR) return OTHER;
      if (i > valueStart && (bytes[i - 1] === SPACE || bytes[i - 1] === TAB)) return OTHER;
      if (i + 1 >= length) return MORE;
      if (bytes[i + 1] !== LF) return OTHER;
      offsets[at] = nameStart;
      offsets[at + 1] = nameEnd;
      offsets[at + 2] = valueStart;
      offsets[at + 3] = i;
      at += PER_FIELD;
      i += 2;
    }
  }
}

/** Do these bytes stand at `start`, as far as there are any? */
function startsWith(bytes: Buffer, start: number, expected: Uint8Array): Verdict {
  const end = Math.min(start + expected.length, bytes.length);
  for (let i = start; i < end; i++) if (bytes[i] !== expected[i - start]) return OTHER;
  return end === start + expected.length ? DONE : MORE;
}

/** The value of `0|[1-9]\d{0,14}` in the bytes; -1 if it is something else (RFC 9110 §8.6). */
export function decimalIn(bytes: Buffer, from: number, to: number): number {
  const digits = to - from;
  if (digits === 0 || digits > 15 || (digits > 1 && bytes[from] === ZERO)) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
