import { Failure } from '@cless/model';
import type { HeadLimits } from '../request/head.ts';

/** The error of Node's server for a connection on which it could not parse a request. */
export interface ParseError extends NodeJS.ErrnoException {
  /** The bytes it was parsing. */
  readonly rawPacket?: Buffer;
  /** How many of them it had parsed. */
  readonly bytesParsed?: number;
  /** The parser's own message. */
  readonly reason?: string;
}

/** A request line with its version, or as much of it as was received. */
const REQUEST_LINE = /(?:^|\n)([A-Z]+) [^\r\n]*(?: HTTP\/\d|$)/g;

/** The failure to answer the client with. */
export function explainParseError(
  error: ParseError,
  { maxHeaderBytes, maxTargetBytes }: HeadLimits & { readonly maxHeaderBytes: number },
): Failure {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return firstLineLength(error.rawPacket) > maxTargetBytes
        ? new Failure('TARGET_TOO_LONG', `the target is longer than ${maxTargetBytes} bytes`)
        : new Failure('HEADERS_TOO_LARGE', `the headers are larger than ${maxHeaderBytes} bytes`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Failure('REQUEST_TIMEOUT', 'the request did not come in time');
    case 'HPE_INVALID_VERSION':
      // A well-formed but different version; otherwise it is not a version at all.
      if (error.reason === 'Invalid HTTP version')
        return new Failure('HTTP_VERSION', 'this version of HTTP is not spoken here, HTTP/1.1 is');
      return notHttp(error);
    default:
      return notHttp(error);
  }
}

/** Was it a `HEAD` that could not be parsed, as far as can be told? Its answer has no body. */
export function wasHead({ rawPacket, bytesParsed }: ParseError): boolean {
  const read = rawPacket?.toString('latin1', 0, bytesParsed) ?? '';
  return [...read.matchAll(REQUEST_LINE)].at(-1)?.[1] === 'HEAD';
}

function firstLineLength(packet: Buffer | undefined): number {
  const end = packet?.indexOf('\r\n') ?? -1;
  return end === -1 ? (packet?.length ?? 0) : end;
}

function notHttp({ code }: ParseError): Failure {
  return new Failure('BAD_REQUEST', `the request is not HTTP/1.1${code === undefined ? '' : ` (${code})`}`);
}
