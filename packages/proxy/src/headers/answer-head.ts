import type { Outgoing } from '../exchange/outgoing.ts';
import { isText } from './field.ts';
import { isHopByHopName, namedByConnection } from './hop-by-hop.ts';

/** RFC 9110 §8.6, but without leading zeros, which another parser might take for octal, and within safe integers. */
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;

/** What ends the body of an answer: its length in bytes, its last chunk, or the end of the connection. */
export type Framing = number | 'chunked' | 'connection';

/**
 * Passes the head of an instance's answer on, without hop-by-hop headers.
 *
 * @param headers of the instance, names and values alternating
 * @param added by the proxy, likewise, including `X-Request-Id`
 * @throws if the answer cannot be passed on; then nothing has been written
 */
export function sendAnswerHead(
  outgoing: Outgoing,
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
    // Distinguished by their length first, so that most headers cost one comparison.
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
        if (name.toLowerCase() === 'x-request-id') continue; // replaced by the one we sent
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
  // We ask for no other coding (TE), and would pass the coded bytes on without saying so.
  if (transferEncoding !== undefined && transferEncoding.trim().toLowerCase() !== 'chunked')
    throw new Error(`the instance answered in the transfer coding ${JSON.stringify(transferEncoding)}`);
  const chunked = transferEncoding !== undefined;
  if (chunked && mayHaveTrailers(outgoing, status)) relayed.push(...trailer);
  const named = namedByConnection(connection);
  if (named !== undefined) {
    for (let i = relayed.length - 2; i >= 0; i -= 2) {
      if (named.has((relayed[i] as string).toLowerCase())) relayed.splice(i, 2);
    }
  }
  for (const part of added) relayed.push(part);
  outgoing.sendHead(status, isText(reason) ? reason : '', relayed);
  if (chunked) return 'chunked';
  return contentLength === undefined ? 'connection' : Number(contentLength);
}

/** Will an answer of unknown length be sent to the client in chunks? */
function mayHaveTrailers({ takesTrailers }: Outgoing, status: number): boolean {
  return takesTrailers && status !== 204 && status !== 304;
}
