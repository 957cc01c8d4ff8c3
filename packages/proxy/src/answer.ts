import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHopByHop, isHopByHopName, namedByConnection } from './hop-by-hop.ts';

/** RFC 9112 §4: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ) */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Writes the head of an instance's answer, without what is for one connection only.
 *
 * @param headers of the instance, name and value in turn
 * @param added of the proxy, likewise
 * @returns the length of the body, if the head tells it
 * @throws if the answer cannot be passed on; nothing is written then
 */
export function writeAnswerHead(
  response: ServerResponse,
  status: number,
  reason: string,
  headers: readonly string[],
  added: readonly string[],
): number | undefined {
  if (status < 200 || status > 999) throw new Error(`the instance answered with status ${status}`);
  const relayed: string[] = [];
  let connection: string | undefined;
  let contentLength: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    switch (name.length) {
      case 10:
        if (name.toLowerCase() === 'connection')
          connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (contentLength === value) continue; // said twice
        if (contentLength !== undefined) throw new Error('the instance answered with several lengths');
        contentLength = value;
        break;
    }
    if (!isHopByHopName(name)) relayed.push(name, value);
  }
  const named = namedByConnection(connection);
  if (named !== undefined) {
    for (let i = relayed.length - 2; i >= 0; i -= 2) {
      if (named.has((relayed[i] as string).toLowerCase())) relayed.splice(i, 2);
    }
  }
  for (const part of added) relayed.push(part);
  response.writeHead(status, REASON.test(reason) ? reason : '', relayed);
  return contentLength === undefined ? undefined : Number(contentLength);
}

/** The same for an answer as node:http's client has it. */
export function relayAnswerHead(
  response: ServerResponse,
  answer: IncomingMessage,
  added: readonly string[],
): void {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  writeAnswerHead(response, statusCode, statusMessage, rawHeaders, added);
}

const NOTHING = Buffer.alloc(0);

/**
 * Sends the head of an answer whose body has not begun: Node keeps it until there is something to send along, and an
 * event stream may have nothing for hours. (Node's own `flushHeaders` would write Latin-1 values as UTF-8.)
 */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(NOTHING);
}

/** Passes early hints on (RFC 8297); other informational answers are for one connection, or say nothing. */
export function writeInformation(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: readonly string[],
): void {
  if (status !== 103 || request.httpVersion === '1.0' || response.headersSent) return;
  const hints: Record<string, string[]> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (!isHopByHop(name)) hints[name] = [...(hints[name] ?? []), headers[i + 1] as string];
  }
  if (hints.link !== undefined) response.writeEarlyHints({ ...hints, link: hints.link });
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
