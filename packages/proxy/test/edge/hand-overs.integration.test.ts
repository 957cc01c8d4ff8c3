import { type EdgeUnderTest, RawUpstream, sendRaw } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * A connection to a client or an instance goes through many hands. Nothing gets lost, is doubled or is stuck where it
 * is handed over.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const RESPONSE_TIMEOUT_MS = 3_000;
/** How much is read from an instance at once. */
const READ_BYTES = 64 * 1024;

function get(path: string, headers = '', host = 'raw.test'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

describe.each(WAYS)('hand-overs, over %s', (way) => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;

  const endpoints = () => ({ raw: upstream.endpoint, nobody: { host: '127.0.0.1', port: 1 } });

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge(way, endpoints(), { responseTimeoutMs: RESPONSE_TIMEOUT_MS });
    upstream.always(OK);
    await sendRaw(edge.port, get('/'), { enough: (so) => so.endsWith('ok') });
  });

  afterEach(() => {
    upstream.forget();
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
  });

  test('an answer until the connection ends, whose head comes alone', async () => {
    upstream.script = ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      setTimeout(() => socket.end('hello'), 50);
    };
    const { text } = await sendRaw(edge.port, get('/'), { enough: (so) => so.endsWith('0\r\n\r\n') });
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('5\r\nhello\r\n0\r\n\r\n');
  });

  test.each([1, 2, 3])(
    'an instance is read after an answer that ends with a full read, of %i',
    async (reads) => {
      const head = (size: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
      const size = reads * READ_BYTES - head(reads * READ_BYTES).length;
      const text = head(size) + 'x'.repeat(size);
      upstream.script = (connection) => {
        while (connection.hasRequest)
          connection.answer(/GET \/large [^\n]*\n(?!.*GET)/s.test(connection.received) ? text : OK);
      };
      for (let i = 0; i < 20; i++) {
        await sendRaw(edge.port, get('/large'), { enough: (so) => so.endsWith('x') && so.length > size });
        const { text } = await sendRaw(edge.port, get('/'), {
          enough: (so) => so.endsWith('ok'),
          timeoutMs: 2_000,
        });
        expect(statuses(text)).toEqual([200]);
      }
    },
  );
});
