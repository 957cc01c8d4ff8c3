import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * SIGTERM with open connections that do not end by themselves: none of them keeps the process from ending.
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(servicesFile, JSON.stringify({ web: { command: SAMPLE_COMMAND } }));
afterAll(() => state.remove());

const DRAIN_MS = 1_000;
const HOST = 'HTTP/1.1\r\nHost: web.example\r\n';

/** What is open at the signal: the bytes of a client that never ends its side, and only reads if it says so. */
const OPEN: Readonly<Record<string, string>> = {
  'preconnected, silent': '',
  'half a head': 'GET / HTTP/1.1\r\nHost: w',
  'half a body': `POST /echo ${HOST}Content-Length: 1000\r\n\r\nhalf`,
  'between requests': `GET / ${HOST}\r\n`,
  'a slow answer': `GET /slow?ms=600000 ${HOST}\r\n`,
  'a slow answer, and more behind it': `GET /slow?ms=600000 ${HOST}\r\n`.repeat(50),
  'a slow answer, and CONNECT': `GET /slow?ms=600000 ${HOST}\r\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`,
  'an event stream': `GET /events?count=100000&every=50 ${HOST}\r\n`,
  'answers that are not read': `GET /pour?mb=50 ${HOST}\r\n`.repeat(3),
  'CONNECT, refused': 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'garbage, refused': '\x01\x02\r\n\r\n',
  'an upgrade, refused': `GET / ${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  'an upgrade, held': `GET /slow?ms=600000 ${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
};

test.each([
  ['undici', '1'],
  ['undici', '2'],
  ['http-proxy-3', '1'],
])('the process ends within its time (%s, %s workers)', async (forwarder, workers) => {
  const proxy = await PROXY.start({
    CLESS_RUNTIME: 'process',
    CLESS_PROCESS_SERVICES: servicesFile,
    CLESS_STATE_DIR: state.path,
    CLESS_STOP_GRACE: '100ms',
    CLESS_DRAIN_TIMEOUT: `${DRAIN_MS}ms`,
    CLESS_FORWARDER: forwarder,
    CLESS_WORKERS: workers,
  });
  expect((await proxy.fetch('web.example')).status).toBe(200);
  const sockets = await Promise.all(
    Object.entries(OPEN).map(async ([name, bytes]): Promise<[string, Socket]> => {
      const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {});
      await once(socket, 'connect');
      if (name.includes('not read')) socket.pause();
      else socket.resume();
      socket.write(bytes, 'latin1');
      return [name, socket];
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begunMs = performance.now();
  const code = await proxy.stop();
  // The promise is a second after the drain; the machine of a test may be busy for another.
  expect([code, performance.now() - begunMs < DRAIN_MS + 2_000]).toEqual([0, true]);
  for (const [, socket] of sockets) socket.destroy();
});
