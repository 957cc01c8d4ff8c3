import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type EdgeUnderTest, inParallel, RawUpstream } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * Clients that never end their side, never read, or send a byte now and then: each connection ends by its deadline, and
 * its descriptors are given back while the client still holds its own.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const head = (line: string, headers = '', host = 'raw') =>
  `${line} HTTP/1.1\r\nHost: ${host}.test\r\n${headers}\r\n`;
const upgrade = (path: string, host = 'raw') =>
  head(
    `GET ${path}`,
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    host,
  );

/** After each of these the connection is over. */
const REFUSED: readonly [status: number, why: string, bytes: string][] = [
  [400, 'no HTTP', '\x01\x02\r\n\r\n'],
  [400, 'two hosts', head('GET /', 'Host: b\r\n')],
  [400, 'two framings', head('POST /', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')],
  [400, 'CONNECT', head('CONNECT a:1')],
  [404, 'to nobody, with half a body', `${head('POST /', 'Content-Length: 9\r\n', 'nobody')}half`],
  [404, 'to nobody, close', head('GET /', 'Connection: close\r\n', 'nobody')],
  [404, 'an upgrade to nobody', upgrade('/', 'nobody')],
  [403, 'an upgrade that the instance refuses', upgrade('/refuse')],
  [502, 'an upgrade that the instance hangs up on', upgrade('/hang-up')],
  [502, 'an upgrade to where nobody listens', upgrade('/', 'absent')],
  [504, 'an upgrade that is not answered', upgrade('/never')],
  [408, 'half a head', 'GET / HTTP/1.1\r\nHost: raw'],
  [408, 'half a body', `${head('POST /late', 'Content-Length: 9\r\n')}half`],
  [413, 'a large body', head('POST /', 'Content-Length: 99999999\r\n')],
  [414, 'a long target', head(`GET /${'a'.repeat(30_000)}`)],
  [431, 'large headers', head('GET /', `X-A: ${'a'.repeat(30_000)}\r\n`)],
  [204, 'OPTIONS *, close', head('OPTIONS *', 'Connection: close\r\n')],
  [204, 'OPTIONS *, kept until it is idle', head('OPTIONS *')],
];

describe.each(WAYS)('stubborn clients, over %s', (forwarder) => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;
  let before: number | undefined;
  const clients: Socket[] = [];

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge(
      forwarder,
      { raw: upstream.endpoint, absent: { host: '127.0.0.1', port: 1 } },
      {
        responseTimeoutMs: 500,
        maxBodyBytes: 1_000_000,
        headersTimeoutMs: 500,
        bodyTimeoutMs: 500,
        idleTimeoutMs: 500,
        keepAliveTimeoutMs: 1_000,
      },
    );
  });

  beforeEach(async () => {
    upstream.script = (connection) => {
      const [, path] = /^\S+ (\S+)/.exec(connection.received) ?? [];
      if (path === '/refuse') connection.answer('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      else if (path === '/hang-up') connection.socket.end();
      else if (path === '/large') {
        const size = 50_000_000;
        connection.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        connection.socket.write(Buffer.alloc(size));
      } else if (path === '/') connection.answer(OK);
    };
    await letGo();
    before = (await edge.held()).descriptors;
  });

  afterEach(() => {
    for (const socket of clients.splice(0)) socket.destroy();
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
  });

  /** Waits until the edge holds no lease and no more descriptors than before, counting those of our clients. */
  async function letGo(): Promise<void> {
    upstream.forget();
    const ours = () => clients.filter(({ destroyed }) => !destroyed).length;
    const least = before ?? Number.POSITIVE_INFINITY;
    await expect
      .poll(async () => (await edge.held()).descriptors - ours(), { timeout: 8_000 })
      .toBeLessThanOrEqual(least);
    await expect.poll(async () => (await edge.held()).leases, { timeout: 8_000 }).toBe(0);
  }

  async function open(bytes: string): Promise<{ socket: Socket; text: () => string }> {
    const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.on('error', () => {});
    clients.push(socket);
    await once(socket, 'connect');
    socket.write(bytes, 'latin1');
    return {
      socket: socket.setEncoding('latin1').on('data', (part: string) => (text += part)),
      text: () => text,
    };
  }

  test('who never ends its side is refused, and let go', { timeout: 30_000 }, async () => {
    await inParallel(REFUSED, REFUSED.length, async ([status, why, bytes]) => {
      const { socket, text } = await open(bytes);
      await once(socket, 'end');
      expect([why, text().slice(0, 12)]).toEqual([why, `HTTP/1.1 ${status}`]);
    });
    await letGo();
  });

  test('who goes on sending hears the refusal, and is let go', { timeout: 30_000 }, async () => {
    const refused = await Promise.all(
      REFUSED.filter(([status]) => status !== 408 && status !== 504 && status !== 204).map(async (one) => ({
        one,
        ...(await open(one[2])),
      })),
    );
    const more = setInterval(() => {
      for (const { socket } of refused) if (socket.writable) socket.write('x'.repeat(1_000));
    }, 10);
    try {
      for (const { one, text } of refused)
        await expect.poll(() => [one[1], text().slice(0, 12)]).toEqual([one[1], `HTTP/1.1 ${one[0]}`]);
      // In the end by a reset, the only answer to what is sent to a peer that has gone.
      await expect.poll(() => refused.every(({ socket }) => socket.closed), { timeout: 8_000 }).toBe(true);
    } finally {
      clearInterval(more);
    }
    await letGo();
  });

  test('who never reads is let go, also with more requests waiting', { timeout: 30_000 }, async () => {
    const { socket } = await open(head('GET /large').repeat(20));
    socket.pause();
    await expect.poll(() => upstream.connections.length).toBe(1);
    await expect
      .poll(() => upstream.connections.every((one) => one.socket.destroyed), { timeout: 10_000 })
      .toBe(true);
    await letGo();
  });

  test('a head that comes byte by byte has its time, whatever comes', { timeout: 30_000 }, async () => {
    const { socket, text } = await open('GET /');
    const more = setInterval(() => socket.writable && socket.write('x'), 100);
    try {
      await once(socket, 'end');
      expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(more);
    }
    await letGo();
  });

  test('a body that comes byte by byte may take its time, until it stops', { timeout: 30_000 }, async () => {
    const { socket, text } = await open(head('POST /late', 'Content-Length: 1000\r\n'));
    for (let i = 0; i < 10; i++) {
      socket.write('x');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(text()).toBe('');
    }
    await once(socket, 'end');
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    await letGo();
  });
});
