import type { Outgoing } from '../exchange/outgoing.ts';
import { isText } from './field.ts';
import { isHopByHopName, namedByConnection } from './hop-by-hop.ts';

/** RFC 9110 §8.6, without the leading zeros that the next reader might take for octal, and not more than is exact. */
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;

/** How one knows where the body of an answer ends: after so many bytes, by its last chunk, or with the connection. */
export type Framing = number | 'chunked' | 'connection';

/**
 * Sends the head of an instance's answer on, without what is for one connection only.
 *
 * @param headers of the instance, name and value in turn
 * @param added of the proxy, likewise, an `X-Request-Id` among them
 * @throws if the answer cannot be passed on; nothing is written then
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

/** Will the answer be sent to the client in chunks, if it is not known how long it is? */
function mayHaveTrailers({ takesTrailers }: Outgoing, status: number): boolean {
  return takesTrailers && status !== 204 && status !== 304;
}
