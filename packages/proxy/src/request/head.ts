import { Failure } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';

export interface HeadLimits {
  readonly maxTargetBytes: number;
  readonly maxHeaderCount: number;
  readonly maxBodyBytes: number;
}

/** The head of a request that has been checked to be unambiguous. */
export interface RequestHead {
  /** The host as written by the client: of an absolute target, else of the `Host` header. */
  readonly host: string;
  /** Path and query as written by the client; `*` for `OPTIONS *`. */
  readonly path: string;
  readonly hasBody: boolean;
  readonly connection: string | undefined;
  readonly via: string | undefined;
  readonly requestId: string | undefined;
  /** The `Host` header, if an absolute target overrides it. */
  readonly hostField: string | undefined;
}

const ABSOLUTE_FORM = /^(https?):\/\/([^/?#]*)([^#]*)$/i;
/** Node's parser accepts these methods of RTSP and ICE, whose requests look like HTTP/1.0. */
const METHODS_OF_OTHERS = new Set([
  'ANNOUNCE',
  'DESCRIBE',
  'FLUSH',
  'GET_PARAMETER',
  'PAUSE',
  'PLAY',
  'RECORD',
  'REDIRECT',
  'SET_PARAMETER',
  'SETUP',
  'SOURCE',
  'TEARDOWN',
]);

/**
 * Reads what matters for routing and framing, and refuses what another parser might read differently. Node's strict
 * parser has refused most of that already.
 *
 * @throws {Failure} `BAD_REQUEST`, `INVALID_HOST`, `HTTP_VERSION`, or the code of a limit
 */
export function readHead(incoming: Incoming, limits: HeadLimits): RequestHead {
  const { method, target, rawHeaders, httpVersion } = incoming;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new Failure('HTTP_VERSION', `HTTP/${httpVersion} is not spoken here, HTTP/1.1 is`);
  }
  if (httpVersion === '1.0' && METHODS_OF_OTHERS.has(method)) {
    throw new Failure('HTTP_VERSION', `${method} is not a method of HTTP, which is what is spoken here`);
  }
  if (target.length > limits.maxTargetBytes) {
    throw new Failure('TARGET_TOO_LONG', `the target is longer than ${limits.maxTargetBytes} bytes`);
  }
  if (rawHeaders.length > limits.maxHeaderCount * 2) {
    throw new Failure('HEADERS_TOO_LARGE', `there are more than ${limits.maxHeaderCount} headers`);
  }

  let host: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection: string | undefined;
  let via: string | undefined;
  let requestId: string | undefined;
  // Headers are distinguished by their length first, so that most cost one comparison. Reads `rawHeaders`, since Node
  // builds the object of all headers only if it is used.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    switch (name.length) {
      case 3:
        if (name.toLowerCase() === 'via') via = join(via, rawHeaders[i + 1]);
        break;
      case 4:
        if (name.toLowerCase() !== 'host') break;
        if (host !== undefined) throw new Failure('INVALID_HOST', 'there is more than one Host header');
        host = rawHeaders[i + 1] as string;
        break;
      case 10:
        if (name.toLowerCase() === 'connection') connection = join(connection, rawHeaders[i + 1]);
        break;
      case 12:
        if (name.toLowerCase() === 'x-request-id') requestId = join(requestId, rawHeaders[i + 1]);
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (contentLength !== undefined)
          throw new Failure('BAD_REQUEST', 'there is more than one Content-Length');
        contentLength = rawHeaders[i + 1] as string;
        break;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (transferEncoding !== undefined)
          throw new Failure('BAD_REQUEST', 'there is more than one Transfer-Encoding');
        transferEncoding = rawHeaders[i + 1] as string;
        break;
    }
  }

  const hasBody = readFraming(contentLength, transferEncoding, httpVersion, limits.maxBodyBytes);
  const absolute = target.startsWith('/') ? undefined : ABSOLUTE_FORM.exec(target);
  if (absolute?.[2] !== undefined && absolute[1]?.toLowerCase() === incoming.scheme) {
    // RFC 9112 §3.2.2: an absolute target overrides the Host header, which HTTP/1.1 requires nevertheless.
    if (host === undefined && httpVersion === '1.1')
      throw new Failure('INVALID_HOST', 'there is no Host header');
    const rest = absolute[3] ?? '';
    const path = rest === '' && method === 'OPTIONS' ? '*' : rest.startsWith('/') ? rest : `/${rest}`;
    return { host: absolute[2], path, hasBody, connection, via, requestId, hostField: host };
  }
  if (host === undefined) throw new Failure('INVALID_HOST', 'there is no Host header');
  if (!target.startsWith('/') && !(target === '*' && method === 'OPTIONS')) {
    throw new Failure('BAD_REQUEST', `the target must be a path, or a URL with ${incoming.scheme}://`);
  }
  return { host, path: target, hasBody, connection, via, requestId, hostField: undefined };
}

function join(before: string | undefined, value: string | undefined): string | undefined {
  return before === undefined ? value : `${before}, ${value}`;
}

/** RFC 9112 §6: the end of the body must be given in exactly one way. */
function readFraming(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
  httpVersion: string,
  maxBodyBytes: number,
): boolean {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined)
      throw new Failure('BAD_REQUEST', 'there are both Content-Length and Transfer-Encoding');
    if (httpVersion === '1.0') throw new Failure('BAD_REQUEST', 'HTTP/1.0 has no Transfer-Encoding');
    if (transferEncoding.toLowerCase() !== 'chunked')
      throw new Failure('BAD_REQUEST', 'the only Transfer-Encoding is chunked');
    return true;
  }
  if (contentLength === undefined) return false;
  if (!/^(?:0|[1-9]\d{0,15})$/.test(contentLength))
    throw new Failure('BAD_REQUEST', 'Content-Length must be a decimal number');
  if (Number(contentLength) > maxBodyBytes) {
    throw new Failure('BODY_TOO_LARGE', `the body is larger than ${maxBodyBytes} bytes`);
  }
  return contentLength !== '0';
}
