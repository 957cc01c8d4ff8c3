import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkHttp, type HttpCheck } from './http-check.ts';

let server: Server;
let status: number;
let seen: { method: string | undefined; url: string | undefined; agent: string | undefined };

beforeAll(async () => {
  server = createServer((request, response) => {
    seen = { method: request.method, url: request.url, agent: request.headers['user-agent'] };
    if (request.url === '/silent') return;
    response.writeHead(status).end(request.method === 'HEAD' ? undefined : 'a body that nobody reads');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  status = 200;
});
afterAll(() => server.close());

function check(more: Omit<Partial<HttpCheck>, 'kind'> = {}, host = '127.0.0.1'): Promise<void> {
  const { port } = server.address() as AddressInfo;
  return checkHttp({ host, port }, { kind: 'http', ...more }, new AbortController().signal);
}

test('it asks for / as itself, unless told otherwise', async () => {
  await check();
  expect(seen).toEqual({ method: 'GET', url: '/', agent: 'cless-health' });
  await check({ path: '/healthz', method: 'HEAD', headers: { 'user-agent': 'me' } });
  expect(seen).toEqual({ method: 'HEAD', url: '/healthz', agent: 'me' });
});

test.each([
  [200, {}, true],
  [404, {}, true],
  [499, {}, true],
  [500, {}, false],
  [399, { path: '/named' }, true],
  [404, { path: '/named' }, false],
  [404, { statuses: [404] }, true],
  [200, { statuses: [404] }, false],
  [201, { statuses: [[200, 201]] }, true],
  [202, { statuses: [[200, 201]] }, false],
] as const)('%i with %j: %s', async (answered, more, isReady) => {
  status = answered;
  if (isReady) await check(more);
  else await expect(check(more)).rejects.toThrow(`status ${answered}`);
});

test('what cannot be sent is the caller’s mistake', async () => {
  await expect(check({ path: 'no slash' })).rejects.toThrow(TypeError);
});

test('an address of IPv6 is written as one', async () => {
  // Nobody listens there; that it is asked at all is the point.
  await expect(check({}, '::1')).rejects.not.toThrow(TypeError);
});

test('a signal ends it, and its connection', async () => {
  const { port } = server.address() as AddressInfo;
  const leave = new AbortController();
  server.once('request', () => leave.abort(new Error('left')));
  const asked = checkHttp({ host: '127.0.0.1', port }, { kind: 'http', path: '/silent' }, leave.signal);
  await expect(asked).rejects.toThrow('left');
  await expect
    .poll(() => new Promise((resolve) => server.getConnections((_, open) => resolve(open))))
    .toBe(0);
});
