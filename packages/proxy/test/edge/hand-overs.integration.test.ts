import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EdgeUnderTest, RawUpstream, sendRaw } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * A connection to a client or an instance goes through many hands. Nothing gets lost, is doubled or is stuck where it
 * is handed over.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** Not for the lane. */
const ODD = OK.replace('Content', 'Connection: x-a\r\nContent');
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
/** How much may wait behind a request, but for what the system has handed over by then. */
const MAX_WAITING_BYTES = 64 * 1024;
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
  let other: RawUpstream;
  let edge: EdgeUnderTest;
  const sockets: Socket[] = [];

  const endpoints = () => ({
    raw: upstream.endpoint,
    other: other.endpoint,
    nobody: { host: '127.0.0.1', port: 1 },
  });

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    other = await RawUpstream.listen();
    other.always(OK);
    edge = await startEdge(way, endpoints(), { responseTimeoutMs: RESPONSE_TIMEOUT_MS });
    upstream.always(OK);
    await sendRaw(edge.port, get('/'), { enough: (so) => so.endsWith('ok') });
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    upstream.forget();
    other.forget();
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
    other.close();
  });

  async function open(bytes = '', port = edge.port): Promise<{ socket: Socket; text: () => string }> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket);
    let text = '';
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
    await once(socket, 'connect');
    socket.write(bytes, 'latin1');
    return { socket, text: () => text };
  }

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

  test('reading stops when much waits, for the whole way of each request', async () => {
    const accepted: Socket[] = [];
    const onAccepted = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
    let answered = 0;
    upstream.script = (connection) => {
      while (connection.hasRequest) {
        connection.answer('');
        setTimeout(() => connection.socket.write(OK, () => answered++), 1);
      }
    };
    subscribe('net.server.socket', onAccepted);
    const { socket } = await open();
    unsubscribe('net.server.socket', onAccepted);
    const request = get('/', 'TE: trailers\r\n'); // takes a siding
    socket.write(request.repeat(50_000));
    await expect.poll(() => answered).toBeGreaterThan(100);
    const waiting = (accepted[0]?.bytesRead ?? 0) - answered * request.length;
    expect(waiting).toBeLessThan(16 * MAX_WAITING_BYTES);
  });

  test('a drain does not wait for half a head behind the last answer', async () => {
    const draining = await startEdge(way, endpoints(), {
      responseTimeoutMs: RESPONSE_TIMEOUT_MS,
      drainTimeoutMs: 600_000,
    });
    upstream.script = (connection) => {
      if (connection.hasRequest)
        connection.answer(connection.received.includes('/half') ? OK.slice(0, -1) : OK);
    };
    const { socket, text } = await open(get('/warm'), draining.port);
    await expect.poll(text).toMatch(/ok$/);
    socket.write(`${get('/half')}GET /b HTTP/1.1\r\nHost: ra`);
    await expect.poll(text).toMatch(/oko?.*o$/s);
    const closed = draining.close();
    setTimeout(() => {
      for (const { socket } of upstream.connections) socket.write('k');
    }, 100);
    await closed;
    await expect.poll(() => text().match(/ok/g)).toHaveLength(2);
  });

  test('an instance that cannot be connected to has as much time as connecting may take', async () => {
    // Its queue of connections is full, and nobody accepts them.
    const deaf = spawn(process.execPath, [
      '-e',
      `const server = require('node:net').createServer();
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        console.log(server.address().port);
        process.kill(process.pid, 'SIGSTOP');
      });`,
    ]);
    const [port] = await once(deaf.stdout, 'data');
    const queue = Array.from({ length: 4 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}));
    sockets.push(...queue);
    await sleep(100);
    const endpoint = { host: '127.0.0.1', port: Number(port) };
    const impatient = await startEdge(way, { raw: endpoint }, { responseTimeoutMs: 500 });
    await open(get('/first'), impatient.port);
    await sleep(100);
    const { text } = await open(get('/second'), impatient.port);
    await sleep(1_500);
    expect(text()).toBe('');
    deaf.kill('SIGKILL');
    await impatient.close();
  });

  /** Half a request, which the instance answers at once, and all others too. */
  async function openEarly(answer = OK): Promise<{ socket: Socket; text: () => string }> {
    upstream.script = (connection) => {
      if (connection.received.endsWith('12345')) connection.answer(answer);
      else while (connection.hasRequest) connection.answer(OK);
    };
    upstream.forget();
    const opened = await open('POST /early HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 10\r\n\r\n12345');
    await expect.poll(() => statuses(opened.text())).toEqual([200]);
    return opened;
  }

  describe('behind a request that is answered before its body has come', () => {
    test.each([
      ['together', OK, 0],
      ['apart', OK, 50],
      ['together, oddly', ODD, 0],
      ['apart, oddly', ODD, 50],
    ])('the next one, %s', async (_name, answer, pauseMs) => {
      const { socket, text } = await openEarly(answer);
      if (pauseMs > 0) {
        socket.write('67890');
        await sleep(pauseMs);
      }
      socket.write(`${pauseMs > 0 ? '' : '67890'}${get('/next', '', 'other.test')}${get('/last')}`);
      await expect.poll(() => statuses(text())).toEqual([200, 200, 200]);
      expect(new Set(text().match(/X-Request-Id: .*/g)).size).toBe(3);
      expect(other.received).toContain('GET /next ');
      expect(upstream.received).not.toContain('/next');
      expect(upstream.received).toContain('GET /last ');
      expect((await edge.held()).leases).toBe(0);
    });

    test.each([
      ['', OK],
      [', oddly', ODD],
    ])('an upgrade%s', async (_name, answer) => {
      const { socket, text } = await openEarly(answer);
      upstream.script = (connection) => {
        if (connection.received.endsWith('ping')) connection.socket.write('pong');
        else if (connection.received.includes('/up')) connection.answer(SWITCHING);
      };
      socket.write(`67890${get('/up', UPGRADE)}`);
      await expect.poll(() => statuses(text())).toEqual([200, 101]);
      socket.write('ping');
      await expect.poll(text).toMatch(/pong$/);
      socket.end();
      await expect.poll(async () => (await edge.held()).leases).toBe(0);
    });
  });
});
