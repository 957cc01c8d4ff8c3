import {
  type EdgeUnderTest,
  HalfRequestError,
  hidesNothing,
  parseStrictly,
  RawUpstream,
  sendRaw,
  smugglingCorpus,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * Each attempt is refused, or forwarded as requests that have one meaning only. A request hidden in another one's
 * body never reaches the instance as a request of its own.
 */

test('there are at least 200', () => {
  expect(new Set(smugglingCorpus.map(({ bytes }) => bytes)).size).toBeGreaterThanOrEqual(200);
});

describe.each(WAYS)('smuggling through %s', (forwarder) => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge(forwarder, { raw: upstream.endpoint }, { responseTimeoutMs: 2_000 });
    await sendRaw(edge.port, 'GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n', { timeoutMs: 10 });
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
  });

  test.each(smugglingCorpus)('$name', async ({ bytes }) => {
    upstream.forget();
    // Answers whatever looks like the end of a request, as a careless instance would.
    upstream.script = (connection) => {
      const { received } = connection;
      if (connection.answered === 0 && (received.includes('\r\n\r\n') || received.includes('\n\n'))) {
        setTimeout(() => connection.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 5);
      }
    };
    const { text } = await sendRaw(edge.port, bytes, { timeoutMs: 250 });
    const received = upstream.connections.map((connection) => connection.received);
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
    if (received.join('') === '') {
      // Refused, or still waiting for the rest of the announced body.
      for (const status of statuses)
        expect([204, 400, 404, 405, 408, 413, 414, 417, 431, 505]).toContain(status);
      return;
    }
    for (const connection of received) {
      let requests: ReturnType<typeof parseStrictly> = [];
      try {
        requests = parseStrictly(connection);
      } catch (error) {
        // A body that the client has not sent to its end is no ambiguity: the connection is broken off.
        if (!(error instanceof HalfRequestError)) throw error;
      }
      for (const { line, headers } of requests) {
        expect(headers.find(([name]) => name === 'host')?.[1]).toMatch(/^raw\.test(:80)?$/i);
        // The second of two pipelined requests may be legitimate, but never one hidden by the first one's framing.
        if (line.includes('smuggled')) expect(hidesNothing(bytes)).toBe(true);
      }
    }
  });
});
