import type { Fields } from '../../exchange/incoming.ts';
import { fateOf, OURS } from '../../headers/forwarded.ts';
import { HOP_BY_HOP } from '../../headers/hop-by-hop.ts';
import { FieldNames, spell } from './field-names.ts';
import { ASIDE, DONE, decimalIn, HeadScan, OTHER, PER_FIELD, type Verdict } from './head-scan.ts';
import { PassingFields } from './passing-fields.ts';

const DROPPED = 1;
const HOST = 2;
const CONNECTION = 3;
const LENGTH = 4;
const CODING = 5;
const VIA = 6;
const REQUEST_ID = 7;
const MAX_FORWARDS = 8;
/** Not forwarded by the lane. */
const FOR_ASIDE = 9;
/** May change how the connection goes on. */
const FOR_OTHER = 10;

type Meaning = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

const NAMES = new FieldNames<Meaning>(
  new Map<string, Meaning>([
    ...[...HOP_BY_HOP, ...OURS].map((name) => [name, DROPPED] as const),
    ['host', HOST],
    ['connection', CONNECTION],
    ['proxy-connection', CONNECTION], // Node's parser takes it for the same
    ['content-length', LENGTH],
    ['transfer-encoding', CODING],
    ['via', VIA],
    ['x-request-id', REQUEST_ID],
    ['max-forwards', MAX_FORWARDS],
    ['expect', FOR_ASIDE],
    ['te', FOR_ASIDE],
    ['trailer', FOR_ASIDE],
    ['upgrade', FOR_OTHER],
    ['http2-settings', FOR_OTHER],
  ]),
);

const SMALL = 0x20;
const X = 120;
/** No shorter name that begins with X depends on whether the client is trusted. */
const SHORTEST_OF_PROXIES = 'x-real-ip'.length;
const KEEP_ALIVE = Buffer.from('keep-alive');
/** In this case: others, which Node's parser takes too, are rare. */
const CHUNKED = 'chunked';
/** Those with which undici expects a body, and writes its length also if there is none. */
const WITH_PAYLOAD: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
/** Headers of which Node takes the first; of others it joins the values. */
const FIRST_COUNTS: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

/** The head of a request, read from its bytes. One object reads any number of heads, one after the other. */
export class RequestHead implements Fields {
  readonly #scan: HeadScan;
  readonly #passing: PassingFields;
  #start = 0;
  method = '';
  /** The path and query as written. */
  target = '';
  /** The value of the one `Host`. */
  host = '';
  /** The length of the body in bytes, unless it is chunked. Zero if there is none. */
  length = 0;
  chunked = false;
  /** The value of the one `X-Request-Id`. */
  requestId: string | undefined;
  /** The values of `Via`, joined. */
  via: string | undefined;
  /** How many fields there are. */
  fields = 0;
  /** The first byte after the head. */
  end = 0;
  /** The whole head, as Latin-1. */
  text = '';

  /** @param maxFields heads with more are OTHER */
  constructor(maxFields: number) {
    this.#scan = new HeadScan(maxFields);
    this.#passing = new PassingFields(maxFields);
  }

  get hasBody(): boolean {
    return this.length > 0 || this.chunked;
  }

  /**
   * Does undici send nothing else on the connection to the instance? After HEAD, since some instances answer it with a
   * body, and after a body where none is expected, since some take it for the next request.
   */
  get isLast(): boolean {
    return this.method === 'HEAD' || (this.hasBody && !WITH_PAYLOAD.has(this.method));
  }

  /** Reads the head that begins at `start`. What it is, is known after DONE and ASIDE. */
  read(bytes: Buffer, start: number): Verdict {
    const scan = this.#scan;
    const passing = this.#passing;
    const scanned = scan.request(bytes, start);
    if (scanned !== DONE) return scanned;
    const { offsets, end, fields } = scan;
    const text = bytes.toString('latin1', start, end);
    let verdict: Verdict = DONE;
    let host: string | undefined;
    let length = -1;
    let chunked = false;
    let requestId: string | undefined;
    let via: string | undefined;
    passing.clear();
    for (let field = 0, at = 0; field < fields; field++, at += PER_FIELD) {
      const nameStart = offsets[at] as number;
      const nameEnd = offsets[at + 1] as number;
      const meaning = NAMES.meaningOf(bytes, nameStart, nameEnd);
      if (meaning === 0) {
        if (
          ((bytes[nameStart] as number) | SMALL) === X &&
          nameEnd - nameStart >= SHORTEST_OF_PROXIES &&
          fateOf(text.slice(nameStart - start, nameEnd - start)) === 'trusted'
        )
          passing.dropUnlessTrusted(bytes, field, scan);
        else passing.pass(bytes, field, scan);
        continue;
      }
      if (meaning === MAX_FORWARDS && scan.method !== 'OPTIONS') {
        passing.pass(bytes, field, scan);
        continue;
      }
      passing.drop(field);
      if (meaning === DROPPED) continue;
      const valueStart = offsets[at + 2] as number;
      const valueEnd = offsets[at + 3] as number;
      switch (meaning) {
        case HOST:
          if (host !== undefined) return OTHER;
          host = text.slice(valueStart - start, valueEnd - start);
          break;
        case CONNECTION:
          if (!spell(bytes, valueStart, valueEnd, KEEP_ALIVE)) return OTHER;
          break;
        case LENGTH:
          if (length !== -1 || chunked) return OTHER;
          length = decimalIn(bytes, valueStart, valueEnd);
          if (length === -1) return OTHER;
          break;
        case CODING:
          if (length !== -1 || chunked) return OTHER;
          if (text.slice(valueStart - start, valueEnd - start) !== CHUNKED) return OTHER;
          chunked = true;
          verdict = ASIDE;
          break;
        case VIA: {
          const value = text.slice(valueStart - start, valueEnd - start);
          via = via === undefined ? value : `${via}, ${value}`;
          break;
        }
        case REQUEST_ID:
          if (requestId !== undefined) return OTHER;
          requestId = text.slice(valueStart - start, valueEnd - start);
          break;
        case MAX_FORWARDS:
        case FOR_ASIDE:
          verdict = ASIDE;
          break;
        case FOR_OTHER:
          return OTHER;
      }
    }
    if (host === undefined) return OTHER;
    this.#start = start;
    this.method = scan.method;
    this.target = text.slice(scan.targetStart - start, scan.targetEnd - start);
    this.host = host;
    this.length = length === -1 ? 0 : length;
    this.chunked = chunked;
    this.requestId = requestId;
    this.via = via;
    this.fields = fields;
    this.end = end;
    this.text = text;
    return verdict;
  }

  header(name: string): string | undefined {
    const { offsets } = this.#scan;
    const text = this.text;
    const start = this.#start;
    const last = this.fields * PER_FIELD;
    let joined: string | undefined;
    for (let at = 0; at < last; at += PER_FIELD) {
      const nameStart = offsets[at] as number;
      const nameEnd = offsets[at + 1] as number;
      if (nameEnd - nameStart !== name.length) continue;
      if (text.slice(nameStart - start, nameEnd - start).toLowerCase() !== name) continue;
      const value = text.slice((offsets[at + 2] as number) - start, (offsets[at + 3] as number) - start);
      if (FIRST_COUNTS.has(name)) return value;
      joined = joined === undefined ? value : `${joined}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
    return joined;
  }

  /**
   * The whole head for the instance, as the full way and undici write it.
   *
   * @param own lines from `Via` to `Forwarded`
   * @param trusted are the client's `X-Real-IP` and the like believed?
   */
  forInstance(own: string, requestId: string, trusted = false): string {
    const { method, length, text } = this;
    const start = this.#start;
    const line = text.slice(0, this.#scan.targetEnd - start);
    const connection = method === 'HEAD' ? 'close' : 'keep-alive';
    const passing = this.#passing.lines(text, start, this.#scan, trusted);
    const framing = length > 0 || WITH_PAYLOAD.has(method) ? `content-length: ${length}\r\n` : '';
    return `${line} HTTP/1.1\r\nhost: ${this.host}\r\nconnection: ${connection}\r\n${passing}${own}X-Request-Id: ${requestId}\r\n${framing}\r\n`;
  }
}
