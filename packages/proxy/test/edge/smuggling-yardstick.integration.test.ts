import { type EdgeUnderTest, Nginx, RawUpstream, sendRaw, smugglingCorpus } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge } from './edge-under-test.ts';

/*
 * The corpus of `smuggling.integration.test.ts` compared with nginx: what nginx refuses we refuse too, or pass on for
 * a reason given here.
 */

/** What nginx refuses and we pass on as one unambiguous request, and why. */
const PASSED_ON: Readonly<Record<string, string>> = {
  'Transfer-Encoding: ⇥chunked': 'a tab is white space, too (RFC 9110 §5.6.3); what leaves is `chunked`',
  'chunks: ffffffffffffffff␍␊hello␍':
    'the head is good; the connection is broken off in the middle of the body',
  'target: /%': 'paths are passed on byte for byte; what they mean is for the app',
  'target: /%00': 'the same',
  'Host: a␠tab': 'white space around a value is none of it',
  'version: RTSP/1.0': 'Node takes it for HTTP/1.0 and does not tell; what leaves is HTTP/1.1',
  'body of: TRACE': 'a client should not (RFC 9110 §9.3.8), but its length is clear',
  'length of: TRACE': 'the same',
  'expect: twice': 'answered here; what leaves has no Expect',
};

describe.skipIf(Nginx.program === undefined)('nginx as the yardstick', () => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;
  let peer: Nginx;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge('undici', { raw: upstream.endpoint }, { responseTimeoutMs: 2_000 });
    peer = await Nginx.start(upstream.endpoint);
  });

  afterAll(async () => {
    peer.stop();
    await edge.close();
    upstream.close();
  });

  /** Does any of it reach the instance? */
  async function passes(port: number, bytes: string): Promise<boolean> {
    upstream.forget();
    upstream.script = (connection) => {
      if (connection.answered === 0 && connection.received.includes('\r\n\r\n'))
        connection.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    await sendRaw(port, bytes, { timeoutMs: 120 }).catch(() => {});
    return upstream.connections.some(({ received }) => received !== '');
  }

  test('what nginx refuses does not pass here', { timeout: 180_000 }, async () => {
    const laxer: string[] = [];
    const counts = { both: 0, neither: 0, onlyNginx: 0, onlyHere: 0 };
    for (const { name, bytes } of smugglingCorpus) {
      const [theirs, ours] = [await passes(peer.port, bytes), await passes(edge.port, bytes)];
      if (ours && !theirs) laxer.push(name);
      counts[ours ? (theirs ? 'both' : 'onlyHere') : theirs ? 'onlyNginx' : 'neither'] += 1;
    }
    expect(laxer.filter((name) => !(name in PASSED_ON))).toEqual([]);
    // Beyond that we are the stricter one.
    expect(counts.onlyNginx).toBeGreaterThan(counts.onlyHere);
  });
});
