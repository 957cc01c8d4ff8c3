import { getEventListeners, once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { waitUntilReady } from './readiness.ts';

const servers = new Set<{ server: Server; sockets: Set<Socket> }>();

async function listen(server: Server, port = 0) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  servers.add({ server, sockets });
  return { endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, sockets };
}

const listenHttp = (handler: RequestListener) => listen(createHttpServer(handler));
const listenTcp = (handler: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => handler(socket.resume())));

async function closedPort() {
  const { endpoint } = await listenTcp(() => {});
  for (const entry of servers) {
    if ((entry.server.address() as AddressInfo | null)?.port === endpoint.port) {
      entry.server.close();
      servers.delete(entry);
    }
  }
  return endpoint;
}

afterEach(() => {
  for (const { server, sockets } of servers) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  servers.clear();
});

describe('HTTP', () => {
  test('an answer below 500 counts, at the first attempt', async () => {
    const { endpoint } = await listenHttp((_, res) => res.writeHead(404).end('x'.repeat(1e6)));
    expect(await waitUntilReady(endpoint)).toMatchObject({ attempts: 1 });
  });

  test('answers of 500 and above do not, until one does', async () => {
    let requests = 0;
    const { endpoint } = await listenHttp((_, res) => res.writeHead(++requests < 4 ? 503 : 200).end());
    expect(await waitUntilReady(endpoint)).toMatchObject({ attempts: 4 });
  });

  test('of a path that was named only 2xx and 3xx count, unless the statuses are named, too', async () => {
    const { endpoint } = await listenHttp((req, res) =>
      res.writeHead(req.url === '/moved' ? 302 : req.url === '/made' ? 201 : 404).end(),
    );
    for (const path of ['/made', '/moved'])
      expect(await waitUntilReady(endpoint, { check: { kind: 'http', path } })).toMatchObject({
        attempts: 1,
      });
    await expect(
      waitUntilReady(endpoint, { check: { kind: 'http', path: '/typo' }, timeoutMs: 50 }),
    ).rejects.toThrow('status 404');
    await waitUntilReady(endpoint, { check: { kind: 'http', path: '/typo', statuses: [404] } });
  });

  test('path, method, headers and statuses are the caller’s', async () => {
    const { endpoint } = await listenHttp((req, res) => {
      const right = req.url === '/healthz' && req.method === 'HEAD' && req.headers['x-probe'] === 'yes';
      res.writeHead(right ? 204 : 200).end();
    });
    const check = { kind: 'http', path: '/healthz', method: 'HEAD', headers: { 'x-probe': 'yes' } } as const;
    await waitUntilReady(endpoint, { check: { ...check, statuses: [204] } });
    await waitUntilReady(endpoint, { check: { ...check, statuses: [[200, 299]] } });
    await expect(
      waitUntilReady(endpoint, { check: { ...check, statuses: [200] }, timeoutMs: 50 }),
    ).rejects.toThrow('status 204');
  });

  test('neither an accepted connection nor a reset nor garbage is readiness', async () => {
    let connections = 0;
    const { endpoint } = await listenTcp((socket) => {
      connections += 1;
      if (connections === 1) socket.destroy();
      else if (connections === 2) socket.resetAndDestroy();
      else if (connections === 3) socket.end('SSH-2.0-x\r\n');
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    expect(await waitUntilReady(endpoint)).toMatchObject({ attempts: 4 });
  });

  test('an attempt without an answer is given up and made again', async () => {
    let requests = 0;
    const { endpoint } = await listenHttp((_, res) => {
      if (++requests > 1) res.end();
    });
    expect(await waitUntilReady(endpoint, { attemptTimeoutMs: 20 })).toMatchObject({ attempts: 2 });
  });

  test('it finds a server that starts to listen later', async () => {
    const endpoint = await closedPort();
    const ready = waitUntilReady(endpoint);
    await listen(
      createHttpServer((_, res) => res.end()),
      endpoint.port,
    );
    expect((await ready).attempts).toBeGreaterThan(1);
  });
});

describe('TCP', () => {
  const check = { kind: 'tcp' } as const;

  test('a connection counts when data came, even if it is closed then', async () => {
    const { endpoint } = await listenTcp((socket) => socket.end('220 mail\r\n'));
    expect(await waitUntilReady(endpoint, { check })).toMatchObject({ attempts: 1 });
  });

  test('a silent one counts when it stays open', async () => {
    const { endpoint } = await listenTcp(() => {});
    const { attempts, durationMs } = await waitUntilReady(endpoint, { check });
    expect(attempts).toBe(1);
    expect(durationMs).toBeGreaterThan(45);
  });

  test('one that is accepted and closed does not, as the userland proxy does it', async () => {
    let connections = 0;
    const { endpoint } = await listenTcp((socket) => {
      connections += 1;
      if (connections === 1) socket.end();
      else if (connections === 2) setTimeout(() => socket.resetAndDestroy(), 5);
    });
    expect(await waitUntilReady(endpoint, { check })).toMatchObject({ attempts: 3 });
  });
});

describe('what can never be ready', () => {
  const endpoint = { host: '127.0.0.1', port: 1 };

  // Arguments that only programs without types can pass.
  test.each<[string, unknown, object, string]>([
    ['nothing', undefined, {}, 'allowed is { host, port }'],
    ['a URL', 'http://127.0.0.1:80', {}, 'allowed is { host, port }'],
    ['a URL for a host', { host: 'http://a', port: 80 }, {}, 'with a host name or an address'],
    ['no host', { port: 80 }, {}, 'with a host name or an address'],
    ['no port', { host: 'a' }, {}, 'port undefined: allowed are whole numbers from 1 to 65535'],
    ['port 0', { host: 'a', port: 0 }, {}, 'from 1 to 65535'],
    ['port 99999', { host: 'a', port: 99_999 }, {}, 'from 1 to 65535'],
    ['a port as text', { host: 'a', port: '80' }, {}, 'from 1 to 65535'],
    ['no such check', endpoint, { check: { kind: 'grpc' } }, 'the kinds http and tcp'],
    ['a status', endpoint, { check: { kind: 'http', statuses: [[200, 700]] } }, 'from 100 to 599'],
    ['a path', endpoint, { check: { kind: 'http', path: 'healthz' } }, 'path'],
    ['a header', endpoint, { check: { kind: 'http', headers: { 'a b': 'c' } } }, 'header'],
    ['a method', endpoint, { check: { kind: 'http', method: 'G T' } }, 'method'],
    ['a time', endpoint, { timeoutMs: Number.NaN }, 'timeoutMs'],
    ['a negative time', endpoint, { attemptTimeoutMs: -1 }, 'attemptTimeoutMs'],
  ])('%s is a TypeError at once', async (_, wrong, options, message) => {
    const refused = Reflect.apply(waitUntilReady, undefined, [wrong, options]);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe('the end of waiting', () => {
  test.each([2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
    'times that no timer can have are none that are over at once: %d',
    async (ms) => {
      let requests = 0;
      const { endpoint } = await listenHttp((_, res) => {
        setTimeout(() => res.writeHead(++requests < 3 ? 503 : 200).end(), 20);
      });
      const times = { timeoutMs: ms, attemptTimeoutMs: ms };
      expect(await waitUntilReady(endpoint, times)).toMatchObject({ attempts: 3 });
    },
  );

  test('NOT_READY after the timeout, with the last reason', async () => {
    const endpoint = await closedPort();
    const error = await waitUntilReady(endpoint, { timeoutMs: 60 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'NOT_READY', endpoint, timeoutMs: 60 });
    expect((error as Error).message).toContain('ECONNREFUSED');
  });

  test('the caller’s signal ends it at once, with its reason, in the middle of an attempt', async () => {
    const { endpoint, sockets } = await listenHttp(() => {});
    const died = new AbortController();
    const ready = waitUntilReady(endpoint, { signal: died.signal });
    while (sockets.size === 0) await new Promise(setImmediate);
    died.abort(new Error('exited with 3'));
    await expect(ready).rejects.toThrow('exited with 3');
  });

  test('a signal that is aborted before makes no attempt', async () => {
    await expect(
      waitUntilReady(await closedPort(), { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });

  test.each([
    [
      'HTTP success',
      { kind: 'http' },
      (s: Socket) => s.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'),
    ],
    ['HTTP silence', { kind: 'http' }, () => {}],
    ['TCP success', { kind: 'tcp' }, (s: Socket) => s.write('x')],
    ['TCP refusal', { kind: 'tcp' }, (s: Socket) => s.destroy()],
  ] as const)('leaves no socket, timer or listener: %s', async (_, check, answer) => {
    const { endpoint, sockets } = await listenTcp(answer);
    const { signal } = new AbortController();
    await waitUntilReady(endpoint, { check, signal, timeoutMs: 80 }).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect.poll(() => sockets.size).toBe(0);
    await expect
      .poll(() => process.getActiveResourcesInfo().filter((r) => r === 'TCPSocketWrap'))
      .toEqual([]);
  });
});
