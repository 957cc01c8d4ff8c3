import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHopByHop, isHopByHopName, namedByConnection } from './hop-by-hop.ts';

/** RFC 9112 §4: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ) */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
/** RFC 9110 §8.6, without the leading zeros that the next reader might take for octal, and not more than is exact. */
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;

/** How one knows where the body of an answer ends: after so many bytes, by its last chunk, or with the connection. */
export type Framing = number | 'chunked' | 'connection';

/**
 * Writes the head of an instance's answer, without what is for one connection only.
 *
 * @param headers of the instance, name and value in turn
 * @param added of the proxy, likewise, an `X-Request-Id` among them
 * @throws if the answer cannot be passed on; nothing is written then
 */
export function writeAnswerHead(
  response: ServerResponse,
  status: number,
  reason: string,
  headers: readonly string[],
  added: readonly string[],
): Framing {
  if (status < 200 || status > 999) throw new Error(`the instance answered with status ${status}`);
  const relayed: string[] = [];
  let connection: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  const trailer: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    // Told apart by their length first: most headers cost one comparison.
    switch (name.length) {
      case 7:
        if (name.toLowerCase() !== 'trailer') break;
        trailer.push(name, value);
        continue;
      case 10:
        if (name.toLowerCase() === 'connection')
          connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case 12:
        if (name.toLowerCase() === 'x-request-id') continue; // the one that we asked with is added
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (contentLength !== undefined) throw new Error('the instance answered with several lengths');
        contentLength = value.trim();
        if (!CONTENT_LENGTH.test(contentLength))
          throw new Error(`the instance answered with the length ${JSON.stringify(value)}`);
        if (status === 204) continue; // RFC 9110 §8.6
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding')
          transferEncoding = transferEncoding === undefined ? value : `${transferEncoding},${value}`;
        break;
    }
    if (!isHopByHopName(name)) relayed.push(name, value);
  }
  // We ask for no other coding (TE), and would pass the coded bytes on without a word of it.
  if (transferEncoding !== undefined && transferEncoding.trim().toLowerCase() !== 'chunked')
    throw new Error(`the instance answered in the transfer coding ${JSON.stringify(transferEncoding)}`);
  const chunked = transferEncoding !== undefined;
  if (chunked && isChunked(response, status)) relayed.push(...trailer);
  const named = namedByConnection(connection);
  if (named !== undefined) {
    for (let i = relayed.length - 2; i >= 0; i -= 2) {
      if (named.has((relayed[i] as string).toLowerCase())) relayed.splice(i, 2);
    }
  }
  for (const part of added) relayed.push(part);
  response.writeHead(status, REASON.test(reason) ? reason : '', relayed);
  if (chunked) return 'chunked';
  return contentLength === undefined ? 'connection' : Number(contentLength);
}

/** Will the answer be sent to the client in chunks, if it is not known how long it is? */
function isChunked({ req }: ServerResponse, status: number): boolean {
  return req.httpVersion !== '1.0' && req.method !== 'HEAD' && status !== 204 && status !== 304;
}

/** The same for an answer as node:http's client has it. */
export function relayAnswerHead(
  response: ServerResponse,
  answer: IncomingMessage,
  added: readonly string[],
): Framing {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  return writeAnswerHead(response, statusCode, statusMessage, rawHeaders, added);
}

const NOTHING = Buffer.alloc(0);

/**
 * Sends the head of an answer whose body has not begun: Node keeps it until there is something to send along, and an
 * event stream may have nothing for hours. (Node's own `flushHeaders` would write Latin-1 values as UTF-8.)
 */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(NOTHING);
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Passes early hints on (RFC 8297), as they are: Node's own `writeEarlyHints` throws at valid links. Other informational
 * answers are for one connection, or say nothing. Hints that the client cannot get are dropped, never an error.
 */
export function writeInformation(response: ServerResponse, status: number, headers: readonly string[]): void {
  const { socket, req } = response;
  if (status !== 103 || req.httpVersion === '1.0' || response.headersSent) return;
  // A client that does not read is not waited for: there may be no end of them.
  if (socket === null || !socket.writable || socket.writableNeedDrain) return;
  let head = 'HTTP/1.1 103 Early Hints\r\n';
  let links = 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const lowerCase = name.toLowerCase();
    if (isHopByHop(lowerCase) || lowerCase === 'content-length') continue;
    if (!TOKEN.test(name) || !REASON.test(value)) return;
    if (lowerCase === 'link') links += 1;
    head += `${name}: ${value}\r\n`;
  }
  if (links > 0) socket.write(`${head}\r\n`, 'latin1');
}

/**
 * Ends the client's connection in the middle of its answer, so that what has come cannot pass for the whole: by a
 * reset where the end of the connection is the end of the answer (RFC 9112 §8), as it is for HTTP/1.0.
 */
export function breakOff(response: ServerResponse): void {
  const { req, socket } = response;
  if (req.httpVersion === '1.0' && socket !== null && !socket.destroyed) socket.resetAndDestroy();
  response.destroy();
}

const NO_TRAILER = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'set-cookie',
  'trailer',
]);

/** Passes trailer fields on, but those that would frame, route or authorize (RFC 9110 §6.5.1). */
export function writeTrailers(response: ServerResponse, trailers: readonly string[]): void {
  if (trailers.length === 0) return;
  const allowed: [string, string][] = [];
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!isHopByHop(name.toLowerCase()) && !NO_TRAILER.has(name.toLowerCase()))
      allowed.push([name, trailers[i + 1] as string]);
  }
  response.addTrailers(allowed);
}
