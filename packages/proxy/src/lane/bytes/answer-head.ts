import { HOP_BY_HOP } from '../../headers/hop-by-hop.ts';
import { FieldNames, spell } from './field-names.ts';
import { DONE, decimalIn, HeadScan, OTHER, PER_FIELD, type Verdict } from './head-scan.ts';
import { PassingFields } from './passing-fields.ts';

const DROPPED = 1;
const CONNECTION = 2;
const LENGTH = 3;
const CODING = 4;
const DATE = 5;
const KEEP_ALIVE_TIME = 6;
const DISPOSITION = 7;
const FOR_OTHER = 8;

type Meaning = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const NAMES = new FieldNames<Meaning>(
  new Map<string, Meaning>([
    ...[...HOP_BY_HOP].map((name) => [name, DROPPED] as const),
    ['x-request-id', DROPPED], // replaced by the one we sent
    ['connection', CONNECTION],
    ['content-length', LENGTH],
    ['transfer-encoding', CODING],
    ['content-disposition', DISPOSITION],
    ['date', DATE],
    ['keep-alive', KEEP_ALIVE_TIME],
    ['proxy-connection', FOR_OTHER], // undici's parser takes it for Connection
    ['trailer', FOR_OTHER],
    ['expect', FOR_OTHER], // node:http writes the head at once, as UTF-8
  ]),
);

/** What only the final answer can say of its body and its connection. */
const OF_THE_LAST: ReadonlySet<number> = new Set([CONNECTION, LENGTH, CODING, FOR_OTHER]);
const KEEP_ALIVE = Buffer.from('keep-alive');
const CLOSE = Buffer.from('close');
const CHUNKED = Buffer.from('chunked');
/** Whether undici takes a larger head depends on what is in it. */
const MAX_HEAD_BYTES = 16 * 1024;
/** As undici has it. */
const TIMEOUT = /(?:^|,)[\t ]*timeout=(\d+)/i;

/** The head of an instance's answer, read from its bytes. One object reads any number of heads. */
export class AnswerHead {
  readonly #scan: HeadScan;
  readonly #passing: PassingFields;
  readonly #date: () => string;
  #start = 0;
  #text = '';
  /** Will the body be written in chunks? */
  #inChunks = false;
  status = 0;
  /** The length of the body in bytes; -1 if it is not known. */
  length = -1;
  /** Is the body in chunks? Otherwise, if its length is not known, it ends with the connection. */
  chunked = false;
  /** Can nothing else be sent on the connection after it? */
  close = false;
  /** How long the instance keeps the connection, in seconds; -1 if it does not say. */
  keepAliveSeconds = -1;
  hasDate = false;
  /** How many fields there are. */
  fields = 0;
  /** The first byte after the head. */
  end = 0;

  /**
   * @param maxFields heads with more are OTHER
   * @param date gives the current `Date`
   */
  constructor(maxFields: number, date: () => string) {
    this.#scan = new HeadScan(maxFields);
    this.#passing = new PassingFields(maxFields);
    this.#date = date;
  }

  /**
   * Reads the head that begins at `start`. What it is, is known after DONE.
   *
   * @param bodiless does it answer HEAD?
   */
  read(bytes: Buffer, start: number, bodiless: boolean): Verdict {
    const scan = this.#scan;
    const passing = this.#passing;
    const scanned = scan.answer(bytes, start);
    if ((scanned === DONE ? scan.end : bytes.length) - start > MAX_HEAD_BYTES) return OTHER;
    if (scanned !== DONE) return scanned;
    const { offsets, end, fields, status, minor } = scan;
    if (status < 200) return this.#readInterim(bytes, start);
    // undici reads other bytes of a reason as UTF-8.
    if (!isAscii(bytes, scan.reasonStart, scan.reasonEnd)) return OTHER;
    let connection: 'close' | 'keep-alive' | undefined;
    let length = -1;
    let chunked = false;
    let hasDate = false;
    let keepAliveSeconds = -1;
    passing.clear();
    for (let field = 0, at = 0; field < fields; field++, at += PER_FIELD) {
      const meaning = NAMES.meaningOf(bytes, offsets[at] as number, offsets[at + 1] as number);
      if (meaning === 0) {
        passing.pass(bytes, field, scan);
        continue;
      }
      const valueStart = offsets[at + 2] as number;
      const valueEnd = offsets[at + 3] as number;
      switch (meaning) {
        case DROPPED:
          break;
        case CONNECTION:
          if (connection !== undefined) return OTHER;
          if (spell(bytes, valueStart, valueEnd, KEEP_ALIVE)) connection = 'keep-alive';
          else if (spell(bytes, valueStart, valueEnd, CLOSE)) connection = 'close';
          else return OTHER;
          break;
        case LENGTH:
          if (length !== -1 || chunked) return OTHER;
          length = decimalIn(bytes, valueStart, valueEnd);
          if (length === -1) return OTHER;
          if (status === 204) break; // RFC 9110 §8.6
          passing.pass(bytes, field, scan);
          continue;
        case CODING:
          if (length !== -1 || chunked || minor === 0) return OTHER;
          if (!spell(bytes, valueStart, valueEnd, CHUNKED)) return OTHER;
          chunked = true;
          break;
        case DISPOSITION:
          if (!isAscii(bytes, valueStart, valueEnd)) return OTHER; // node:http reads it as UTF-8 after a length
          passing.pass(bytes, field, scan);
          continue;
        case DATE:
          hasDate = true;
          passing.pass(bytes, field, scan);
          continue;
        case KEEP_ALIVE_TIME: {
          if (keepAliveSeconds !== -1) return OTHER;
          const told = TIMEOUT.exec(bytes.toString('latin1', valueStart, valueEnd))?.[1];
          if (told !== undefined) keepAliveSeconds = Number(told);
          break;
        }
        case FOR_OTHER:
          return OTHER;
      }
      passing.drop(field);
    }
    const empty = bodiless || status === 204 || status === 304;
    this.#start = start;
    this.#text = bytes.toString('latin1', start, end);
    this.#inChunks = !empty && length === -1;
    this.status = status;
    this.length = empty ? 0 : length;
    this.chunked = chunked && !empty;
    // As undici: also if a body may follow that must not be there.
    this.close =
      connection === 'close' ||
      (minor === 0 && connection === undefined) ||
      (empty ? bodiless || length > 0 || chunked : length === -1 && !chunked);
    this.keepAliveSeconds = keepAliveSeconds;
    this.hasDate = hasDate;
    this.fields = fields;
    this.end = end;
    return DONE;
  }

  /** Is it informational (RFC 9110 §15.2), so that another head follows? */
  get isInterim(): boolean {
    return this.status < 200;
  }

  /** The whole head, as Latin-1. */
  get text(): string {
    return this.#text;
  }

  /** The headers as received, names and values alternating. */
  rawHeaders(): string[] {
    const { offsets, fields } = this.#scan;
    const headers: string[] = [];
    for (let at = 0; at < fields * PER_FIELD; at += 2)
      headers.push(
        this.#text.slice((offsets[at] as number) - this.#start, (offsets[at + 1] as number) - this.#start),
      );
    return headers;
  }

  /**
   * The whole head for the client, as the full way and node:http write it.
   *
   * @param added lines by the proxy, from `X-Request-Id`
   * @param closes does the connection to the client end after it?
   * @param keepAlive the line `Keep-Alive: timeout=…`; empty for none
   */
  forClient(added: string, closes: boolean, keepAlive: string): string {
    const scan = this.#scan;
    const text = this.#text;
    const start = this.#start;
    const line = text.slice('HTTP/1.1'.length, scan.reasonEnd - start);
    const passing = this.#passing.lines(text, start, scan, false);
    const date = this.hasDate ? '' : `Date: ${this.#date()}\r\n`;
    const connection = closes ? 'Connection: close\r\n' : `Connection: keep-alive\r\n${keepAlive}`;
    const framing = this.#inChunks ? 'Transfer-Encoding: chunked\r\n' : '';
    return `HTTP/1.1${line}\r\n${passing}${added}${date}${connection}${framing}\r\n`;
  }

  // Private

  #readInterim(bytes: Buffer, start: number): Verdict {
    const { status, offsets, end, fields } = this.#scan;
    if (status < 100 || status === 101) return OTHER;
    for (let at = 0; at < fields * PER_FIELD; at += PER_FIELD) {
      const meaning = NAMES.meaningOf(bytes, offsets[at] as number, offsets[at + 1] as number);
      if (OF_THE_LAST.has(meaning)) return OTHER;
    }
    this.status = status;
    this.fields = fields;
    this.end = end;
    this.#start = start;
    this.#text = bytes.toString('latin1', start, end);
    return DONE;
  }
}

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) > 0x7e) return false;
  return true;
}
