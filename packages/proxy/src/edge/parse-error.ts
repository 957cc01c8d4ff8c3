import { Failure } from '@cless/model';
import type { HeadLimits } from '../request/head.ts';

/** What Node's server says of a connection on which it could not read a request. */
export interface ParseError extends NodeJS.ErrnoException {
  /** The bytes that it was reading. */
  readonly rawPacket?: Buffer;
  /** How many of them it had read. */
  readonly bytesParsed?: number;
  /** What is wrong, in the parser's words. */
  readonly reason?: string;
}

/** With its version, or as far as it could be read. */
const REQUEST_LINE = /(?:^|\n)([A-Z]+) [^\r\n]*(?: HTTP\/\d|$)/g;

/** The error that a client is told. */
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
      // Two digits of another version; else it is no version at all.
      if (error.reason === 'Invalid HTTP version')
        return new Failure('HTTP_VERSION', 'this version of HTTP is not spoken here, HTTP/1.1 is');
      return notHttp(error);
    default:
      return notHttp(error);
  }
}

/** Was it a `HEAD` that could not be read, as far as it can be told? Its answer has no body. */
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
