import { once } from 'node:events';
import {
  Agent,
  createServer,
  get,
  type IncomingMessage,
  type Server,
  request as sendRequest,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { FixedRuntime, sendRaw } from '@cless/testkit';
import middie from '@fastify/middie';
import express from 'express';
import fastify from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Cless, type ClessOptions, createCless } from '../src/index.ts';

/** Another server, which itself answers requests for other hosts with `theirs METHOD PATH`. */
type Embed = (cless: Cless) => Promise<Server>;

const SERVERS: Record<string, Embed> = {
  async 'node:http'(cless) {
    const middleware = cless.middleware();
    return createServer((request, response) => {
      middleware(request, response, (error) => {
        response.statusCode = error === undefined ? 200 : 500;
        response.end(error instanceof Error ? error.message : `theirs ${request.method} ${request.url}`);
      });
    });
  },

  async express(cless) {
    const app = express();
    app.use(cless.middleware());
    app.use((request, response) => void response.send(`theirs ${request.method} ${request.originalUrl}`));
    return createServer(app);
  },

  async fastify(cless) {
    const app = fastify();
    await app.register(middie);
    app.use(cless.middleware());
    app.all('/*', async (request) => `theirs ${request.method} ${request.url}`);
    await app.ready();
    return app.server;
  },
};

/** The instances, which answer with what they received. */
const upstream = createServer(async (request, response) => {
  if (request.url === '/sse') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    return;
  }
  if (request.url === '/stuck') {
    response.write('some of it');
    return;
  }
  const { host, 'x-forwarded-host': forwardedHost, 'x-forwarded-proto': proto } = request.headers;
  const body = await text(request);
  response.setHeader('X-Path', request.url ?? '');
  response.end(`${request.method} ${proto}://${forwardedHost ?? host}${request.url} ${body.length}`);
});
const webSockets = new WebSocketServer({ server: upstream });
webSockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}!`)));

beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterAll(() => {
  upstream.close();
  upstream.closeAllConnections();
});

describe.each(Object.entries(SERVERS))('in a server of %s', (_, embed) => {
  let cless: Cless;
  let server: Server;
  let port: number;
  /** Lets instances get ready. */
  let letStart: () => void;
  let asleep: Promise<void>;
  let starts: number;

  async function start(options: Partial<ClessOptions> = {}): Promise<void> {
    const endpoint = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
    cless = createCless({
      runtime: new FixedRuntime({ 'web-docker': endpoint, other: endpoint }),
      services: { api: { image: 'other', hosts: ['api.example'] } },
      probe: async () => {
        starts += 1;
        await asleep;
        return { attempts: 1, durationMs: 0 };
      },
      ...options,
    });
    server = await embed(cless);
    server.on('upgrade', async (request, socket, head) => {
      if (!(await cless.upgrade(request, socket, head)))
        socket.end('HTTP/1.1 418 Theirs\r\nConnection: close\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }

  beforeEach(async () => {
    starts = 0;
    asleep = Promise.resolve();
    letStart = () => {};
  });

  afterEach(async () => {
    letStart();
    await cless.close();
    server.closeAllConnections();
    server.close();
  });

  function hold(): void {
    ({ promise: asleep, resolve: letStart } = Promise.withResolvers<void>());
  }

  async function ask(host: string, { method = 'GET', path = '/', body = '', headers = {} } = {}) {
    const request = sendRequest({ port, method, path, headers: { host, ...headers }, agent: false }).end(
      body,
    );
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, text: await text(answer), headers: answer.headers };
  }

  test('services are answered, and everybody else’s hosts as before', async () => {
    await start();
    expect(await ask('web.example', { path: '/a?b=c' })).toMatchObject({
      status: 200,
      text: 'GET http://web.example/a?b=c 0',
      headers: { 'x-path': '/a?b=c' },
    });
    expect((await ask('api.example')).text).toBe('GET http://api.example/ 0');
    for (const host of ['www.example', '127.0.0.1', 'localhost:80', 'a_b'])
      expect((await ask(host, { path: '/x' })).text).toBe('theirs GET /x');
  });

  test('a body goes through, whatever its size, and one that is too large is refused', async () => {
    await start({ limits: { maxBodyBytes: 1_000_000 } });
    const body = 'a'.repeat(999_999);
    expect((await ask('web.example', { method: 'POST', body })).text).toBe('POST http://web.example/ 999999');
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await ask('web.example', { method: 'POST', body, headers: chunked })).text).toContain(' 999999');
    expect((await ask('web.example', { method: 'POST', body: `${body}aa` })).status).toBe(413);
  });

  test('many requests of a service that sleeps are one start, and all are answered', async () => {
    await start();
    hold();
    const asked = Array.from({ length: 20 }, (_, i) => ask('web.example', { path: `/${i}` }));
    await expect.poll(() => starts).toBe(1);
    expect((await ask('www.example')).text).toBe('theirs GET /');
    letStart();
    const answers = await Promise.all(asked);
    expect(answers.map(({ headers }) => headers['x-path'])).toEqual(answers.map((_, i) => `/${i}`));
    expect(answers[0]?.headers['server-timing']).toMatch(/^cless-cold;dur=/);
    expect(starts).toBe(1);
  });

  test('pipelined requests are answered in their order, theirs and ours', async () => {
    await start();
    hold();
    const head = (host: string, path: string, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
    const asked = sendRaw(
      port,
      head('web.example', '/1') +
        head('www.example', '/2') +
        head('api.example', '/3') +
        head('www.example', '/4', 'Connection: close\r\n'),
    );
    await expect.poll(() => starts).toBe(1);
    letStart();
    const { text: answered } = await asked;
    expect(answered.match(/GET \S+\/\d|theirs GET \/\d/g)).toEqual([
      'GET http://web.example/1',
      'theirs GET /2',
      'GET http://api.example/3',
      'theirs GET /4',
    ]);
  });

  test('a client that leaves while its service starts holds nothing, and the start goes on', async () => {
    await start();
    hold();
    const left = get({ port, headers: { host: 'web.example' }, agent: false });
    left.on('error', () => {});
    await expect.poll(() => starts).toBe(1);
    left.destroy();
    letStart();
    expect((await ask('web.example')).status).toBe(200);
    expect(starts).toBe(1);
  });

  test('WebSockets go through, also to a service that sleeps; others are left to whoever is there', async () => {
    await start();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'web.example' } });
    await once(socket, 'open');
    socket.send('hello');
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('hello!');
    socket.close();
    await once(socket, 'close');

    const others = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'www.example' } });
    const [error] = await once(others, 'error');
    expect(String(error)).toContain('418');
  });

  test('an upgrade that offers what is not taken is a request like any other', async () => {
    await start();
    const { text: answered } = await sendRaw(
      port,
      'GET /a HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n',
    );
    expect(answered).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*GET http:\/\/web\.example\/a 0/);
  });

  test('an upgrade behind a request that is not answered yet ends the connection', async () => {
    await start();
    hold();
    const socket = connect(port, '127.0.0.1');
    const upgrade =
      'GET / HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    socket.on('error', () => {}).write(`GET / HTTP/1.1\r\nHost: web.example\r\n\r\n${upgrade}`);
    await once(socket, 'close');
    letStart();
    expect((await ask('web.example')).status).toBe(200);
  });

  test('closing waits for what is open, and refuses what comes', async () => {
    await start();
    hold();
    const open = ask('web.example');
    await expect.poll(() => starts).toBe(1);
    const closed = cless.close();
    expect((await ask('api.example')).status).toBe(503);
    letStart();
    expect((await open).status).toBe(200);
    await closed;
    expect((await ask('www.example')).text).toBe('theirs GET /');
  });

  test('an answer in which nothing moves is broken off; what follows has the server’s time again', async () => {
    await start({ limits: { idleTimeoutMs: 100 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const stuck = get({ port, path: '/stuck', headers: { host: 'web.example' }, agent: false });
    const [answer] = (await once(stuck, 'response')) as [IncomingMessage];
    await expect(text(answer)).rejects.toThrow('aborted');
    const timeouts: number[] = [];
    server.on('request', ({ socket }) => timeouts.push(socket.timeout ?? 0));
    for (const host of ['web.example', 'www.example']) {
      const [next] = (await once(get({ port, headers: { host }, agent }), 'response')) as [IncomingMessage];
      await text(next);
    }
    expect(timeouts.at(-1)).toBe(server.timeout);
    agent.destroy();
  });

  test('what never ends is broken off after the drain timeout', async () => {
    await start({ drainTimeoutMs: 1 });
    const request = get({ port, path: '/sse', headers: { host: 'web.example' }, agent: false });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const ended = text(answer);
    ended.catch(() => {});
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'web.example' } });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await cless.close();
    await expect(ended).rejects.toThrow('aborted');
    await closed;
  });
});

test('a body that was parsed before is an error that says so', async () => {
  const endpoint = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
  await using cless = createCless({ runtime: new FixedRuntime({ 'web-docker': endpoint }) });
  const app = express();
  app.use(express.json());
  app.use('/mounted', cless.middleware());
  app.use(((error, _request, response, _next) => {
    response.status(500).send(error.message);
  }) satisfies express.ErrorRequestHandler);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const headers = { host: 'web.example', 'content-type': 'application/json' };
  const request = sendRequest({ port, path: '/mounted/a', method: 'POST', headers, agent: false }).end('{}');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(500);
  expect(await text(answer)).toMatch(/^the body of POST \/mounted\/a was read before cLess got it/);

  // The parser ignores requests without a body, which are handled under their own path.
  const [other] = (await once(get({ port, path: '/mounted/a', headers, agent: false }), 'response')) as [
    IncomingMessage,
  ];
  expect(await text(other)).toBe('GET http://web.example/mounted/a 0');
  server.closeAllConnections();
  server.close();
});
