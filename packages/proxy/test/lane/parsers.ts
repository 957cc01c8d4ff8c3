import { createRequire } from 'node:module';

/*
 * Two builds of llhttp, the parser that the lane must never differ from: Node's own, strict as the edge uses it, and the
 * one in undici. Node's is reached by an undocumented module, which only tests may do.
 */

/** How a parser has read the first message of some bytes, given in pieces. Bytes are Latin-1. */
export interface Reading {
  /** Of a request. */
  method: string;
  target: string;
  /** Of an answer. */
  status: number;
  reason: string;
  version: string;
  /** Names and values alternating. */
  headers: string[];
  upgrade: boolean;
  keepAlive: boolean;
  body: string;
  trailers: string[];
  /** The piece in which the head ended; -1 if it did not. */
  headIn: number;
  /** The piece in which the message ended; -1 if it did not. */
  endIn: number;
  /** Has it been refused? What follows the message does not count. */
  refused: boolean;
}

/** What is read. Of an answer to HEAD, there is no body. */
export type Kind = 'request' | 'answer' | 'answer to HEAD';

/** A parser under test. */
export type Parser = (kind: Kind, pieces: readonly Buffer[]) => Reading;

const require = createRequire(import.meta.url);

function unread(): Reading {
  return {
    method: '',
    target: '',
    status: 0,
    reason: '',
    version: '',
    headers: [],
    upgrade: false,
    keepAlive: false,
    body: '',
    trailers: [],
    headIn: -1,
    endIn: -1,
    refused: false,
  };
}

/** Every head that is tried is smaller. */
const MAX_HEAD_BYTES = 1024 * 1024;

interface NodeParser {
  initialize(kind: number, resource: object, maxHeaderBytes: number, lenient: number): void;
  /** @returns an error if the bytes are refused */
  execute(bytes: Buffer): unknown;
  [callback: number]: (...args: never[]) => unknown;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods }: { HTTPParser: NodeParserClass; methods: readonly string[] } =
  require('node:_http_common');

/** Used again and again, since making one takes longer than all the rest. */
const parser = new HTTPParser();

/** Reads as Node's HTTP server and client do. */
export const readByNode: Parser = (kind, pieces) => {
  const reading = unread();
  let piece = 0;
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, MAX_HEAD_BYTES, 0);
  parser[HTTPParser.kOnHeaders] = (headers: string[], target: string) => {
    if (reading.endIn !== -1) return;
    if (reading.headIn !== -1) {
      reading.trailers.push(...headers);
      return;
    }
    reading.headers.push(...headers);
    reading.target += target;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    headers: string[] | undefined,
    method: number,
    target: string | undefined,
    status: number,
    reason: string,
    upgrade: boolean,
    keepAlive: boolean,
  ) => {
    if (reading.headIn === -1) {
      reading.headIn = piece;
      reading.version = `${major}.${minor}`;
      reading.headers.push(...(headers ?? []));
      reading.method = methods[method] ?? '';
      reading.target += target ?? '';
      reading.status = status;
      reading.reason = reason;
      reading.upgrade = upgrade;
      reading.keepAlive = keepAlive;
    }
    return kind === 'answer to HEAD' ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (body: Buffer) => {
    if (reading.endIn === -1) reading.body += body.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (reading.endIn === -1) reading.endIn = piece;
  };
  for (; piece < pieces.length && reading.endIn === -1 && !reading.refused; piece++) {
    const bytes = pieces[piece];
    // An empty piece means the end of the connection.
    if (bytes === undefined || bytes.length === 0) continue;
    const result = parser.execute(bytes);
    if (result instanceof Error && reading.endIn === -1) reading.refused = true;
  }
  return reading;
};

interface Wasm {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  llhttp_alloc(kind: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, from: number, bytes: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_method(parser: number): number;
}

const {
  TYPE,
  METHODS,
  ERROR,
}: Record<'TYPE' | 'METHODS' | 'ERROR', Record<string, number>> = require('undici/lib/llhttp/constants.js');
const METHOD_NAMES = new Map(Object.entries(METHODS).map(([name, number]) => [number, name]));
const ROOM_BYTES = 64 * 1024;

let current = unread();
let currentKind: Kind = 'request';
let currentPiece = 0;
let inValue = false;
const text = (at: number, bytes: number) => Buffer.from(wasm.memory.buffer, at, bytes).toString('latin1');

function readField(value: string, isValue: boolean): number {
  if (current.endIn !== -1) return 0;
  const fields = current.headIn === -1 ? current.headers : current.trailers;
  // A value that is empty is told of too, so that names and values alternate.
  if (isValue === inValue && fields.length > 0) fields[fields.length - 1] += value;
  else fields.push(value);
  inValue = isValue;
  return 0;
}

const imports = {
  wasm_on_message_begin: () => 0,
  wasm_on_url: (_: number, at: number, bytes: number) => {
    if (current.headIn === -1) current.target += text(at, bytes);
    return 0;
  },
  wasm_on_status: (_: number, at: number, bytes: number) => {
    if (current.headIn === -1) current.reason += text(at, bytes);
    return 0;
  },
  wasm_on_header_field: (_: number, at: number, bytes: number) => readField(text(at, bytes), false),
  wasm_on_header_value: (_: number, at: number, bytes: number) => readField(text(at, bytes), true),
  wasm_on_headers_complete: (parser: number, status: number, upgrade: number, keepAlive: number) => {
    if (current.headIn === -1) {
      current.headIn = currentPiece;
      current.version = `${wasm.llhttp_get_http_major(parser)}.${wasm.llhttp_get_http_minor(parser)}`;
      current.method = METHOD_NAMES.get(wasm.llhttp_get_method(parser)) ?? '';
      current.status = status;
      current.upgrade = upgrade === 1;
      current.keepAlive = keepAlive === 1;
      inValue = false;
    }
    return currentKind === 'answer to HEAD' ? 1 : 0;
  },
  wasm_on_body: (_: number, at: number, bytes: number) => {
    if (current.endIn === -1) current.body += text(at, bytes);
    return 0;
  },
  wasm_on_message_complete: () => {
    if (current.endIn === -1) current.endIn = currentPiece;
    return 0;
  },
};

/** Node's types do not know its WebAssembly. */
const {
  Instance,
  Module,
}: {
  Instance: new (module: object, imports: object) => { exports: Wasm };
  Module: new (bytes: Buffer) => object;
} = Reflect.get(globalThis, 'WebAssembly');
const wasm = new Instance(new Module(require('undici/lib/llhttp/llhttp-wasm.js')), { env: imports }).exports;
const room = wasm.malloc(ROOM_BYTES);

/** Reads as undici does. */
export const readByUndici: Parser = (kind, pieces) => {
  current = unread();
  currentKind = kind;
  inValue = false;
  const parser = wasm.llhttp_alloc(kind === 'request' ? (TYPE.REQUEST ?? 0) : (TYPE.RESPONSE ?? 0));
  for (const [i, bytes] of pieces.entries()) {
    currentPiece = i;
    for (let from = 0; from < bytes.length; from += ROOM_BYTES) {
      const part = bytes.subarray(from, from + ROOM_BYTES);
      new Uint8Array(wasm.memory.buffer, room, part.length).set(part);
      if (wasm.llhttp_execute(parser, room, part.length) === ERROR.OK) continue;
      if (current.endIn === -1) current.refused = true;
      break;
    }
    if (current.refused || current.endIn !== -1) break;
  }
  wasm.llhttp_free(parser);
  return current;
};
