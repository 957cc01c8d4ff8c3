import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { AdminClient } from './client.ts';

/*
 * Servers that are not an admin API, or do not answer.
 */

let server: Server;
let asked: Promise<unknown>;

async function clientOf(listener: Parameters<typeof createServer>[1]): Promise<AdminClient> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  asked = once(server, 'request');
  const { port } = server.address() as AddressInfo;
  return new AdminClient({ url: `http://127.0.0.1:${port}`, token: 'x' });
}

afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});

test('one that is silent is given up after ten seconds', async () => {
  const client = await clientOf(() => {});
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const error = client.services().catch((reason: unknown) => reason);
  await asked;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('within 10 s') });
});

test.each([
  [200, 'text/html', '<html>', '200 with text/html'],
  [200, 'application/json', '{"items": [', 'no JSON'],
  [404, 'text/html', '<html>', '404 with text/html'],
  [404, 'application/problem+json', '<html>', 'no JSON'],
])('an answer of somebody else is told so: %i %s', async (status, type, body, message) => {
  const client = await clientOf((_, response) => {
    response.writeHead(status, { 'Content-Type': type }).end(body);
  });
  const error = await client.services().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining(message) });
});

test('an answer that breaks off is told so', async () => {
  const client = await clientOf((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 100 });
    response.write('{"items"', () => response.destroy());
  });
  const removed = () => client.removeService('web', { volumes: true });
  for (const ask of [() => client.services(), () => client.service('web'), removed])
    await expect(ask()).rejects.toMatchObject({
      code: 'BROKEN_OFF',
      message: expect.stringContaining('broke off'),
    });
});

test('events and logs end quietly at their signal, whatever its reason', async () => {
  const client = await clientOf((request, response) => {
    const isEvents = request.url?.startsWith('/v1/events');
    response.writeHead(200, { 'Content-Type': isEvents ? 'text/event-stream' : 'text/plain' });
    response.write(isEvents ? 'data: {"id":"1"}\n\n' : 'line\n');
  });
  for (const follow of [client.events.bind(client), client.logs.bind(client, 'web')]) {
    const leaving = new AbortController();
    const seen = [];
    for await (const one of follow({ signal: leaving.signal })) {
      seen.push(one);
      leaving.abort(new DOMException('late', 'TimeoutError'));
    }
    expect(seen).toHaveLength(1);
    for await (const one of follow({ signal: leaving.signal })) seen.push(one);
    expect(seen).toHaveLength(1);
  }
});
