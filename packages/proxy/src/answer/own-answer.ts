import type { FixedAnswer } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Outgoing } from '../exchange/outgoing.ts';

/**
 * Writes an answer of the proxy's own, in place of an instance's.
 *
 * @param headers further headers, names and values alternating
 */
export function sendOwnAnswer(
  { method }: Incoming,
  outgoing: Outgoing,
  { status, contentType, body }: FixedAnswer,
  requestId: string,
  headers: readonly string[] = [],
): void {
  const bytes = Buffer.from(body);
  const length = status === 204 ? [] : ['Content-Length', String(bytes.length)]; // RFC 9110 §8.6: none in a 204
  outgoing.sendHead(status, undefined, [
    'Content-Type',
    contentType,
    ...length,
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    requestId,
    ...headers,
  ]);
  if (method === 'HEAD') outgoing.end();
  else outgoing.endWith(bytes);
}
