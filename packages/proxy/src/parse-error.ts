import { BadRequestError, type HeadLimits, LimitError } from './request-head.ts';

/** What Node's server says of a connection on which it could not read a request. */
export interface ParseError extends NodeJS.ErrnoException {
  /** The bytes that it was reading. */
  readonly rawPacket?: Buffer;
  /** How many of them it had read. */
  readonly bytesParsed?: number;
}

const REQUEST_LINE = /(?:^|\n)([A-Z]+) [^\r\n]* HTTP\/\d/g;

/** The error that a client is told. */
export function explainParseError(
  error: ParseError,
  { maxHeaderBytes, maxTargetBytes }: HeadLimits & { readonly maxHeaderBytes: number },
): Error {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return firstLineLength(error.rawPacket) > maxTargetBytes
        ? new LimitError('TARGET_TOO_LONG', `the target is longer than ${maxTargetBytes} bytes`)
        : new LimitError('HEADERS_TOO_LARGE', `the headers are larger than ${maxHeaderBytes} bytes`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return Object.assign(new Error('the request did not come in time'), { code: 'REQUEST_TIMEOUT' });
    default:
      return new BadRequestError(
        `the request is not HTTP/1.1${error.code === undefined ? '' : ` (${error.code})`}`,
      );
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
