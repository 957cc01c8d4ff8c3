import { once } from 'node:events';
import { connect } from 'node:net';
import { typeOf } from '@cless/model';
import { MemoryStore } from '@cless/store';
import { FakePlatform } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AdminServer } from './server.ts';

/*
 * What only shows with real connections: clients that leave, and the end of the server.
 */

const TOKEN = 'a-token-for-tests';
let store: MemoryStore;
let platform: FakePlatform;
let failures: unknown[];
let server: AdminServer;

beforeEach(async () => {
  store = new MemoryStore();
  platform = new FakePlatform();
  failures = [];
  server = await AdminServer.start({
    store,
    platform,
    token: TOKEN,
    openMetrics: false,
    listen: { host: '127.0.0.1', port: 0 },
    onError: (error) => failures.push(error),
  });
});

afterEach(() => server.close());

function ask(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.address.port}${path}`, {
    method,
    ...init,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json', ...init.headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const deploy = (query = '', init?: RequestInit) =>
  ask('POST', `/v1/services/web/revisions${query}`, { image: 'web:1' }, init);
const asStream = { headers: { Accept: 'text/event-stream' } };

test.each([
  ['Content-Length: 1000\r\n', '{"hosts":'],
  ['Transfer-Encoding: chunked\r\n', '9\r\n{"hosts":\r\n'],
])('a client that breaks off its upload is no failure (%s)', async (framing, part) => {
  const socket = connect(server.address.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `PUT /v1/services/web HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n${framing}\r\n${part}`,
  );
  await ask('GET', '/v1/services'); // a round trip: the other one is read by now
  socket.resetAndDestroy();
  await ask('GET', '/v1/services');
  await ask('GET', '/v1/services');
  expect(failures).toEqual([]);
  expect(store.count()).toBe(0);
});

/** A registry that never answers, until the pull is aborted. */
function silentRegistry(): { readonly asked: Promise<void>; readonly givenUp: Promise<void> } {
  const asked = Promise.withResolvers<void>();
  const givenUp = Promise.withResolvers<void>();
  Object.assign(platform, {
    pull: (_: string, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((_resolve, reject) => {
        asked.resolve();
        signal.addEventListener('abort', () => {
          givenUp.resolve();
          reject(signal.reason);
        });
      }),
  });
  return { asked: asked.promise, givenUp: givenUp.promise };
}

test.each([
  ['as JSON', {}],
  ['as a stream', asStream],
])('a pull is given up when its client leaves, and the next deploy goes on (%s)', async (_, init) => {
  await ask('PUT', '/v1/services/web', {});
  const { asked, givenUp } = silentRegistry();
  const leaving = new AbortController();
  const left = deploy('?pull=true', { ...init, signal: leaving.signal })
    .then((response) => response.text())
    .catch((error: unknown) => error);
  await asked;
  const next = deploy();
  leaving.abort();
  await givenUp;
  await left;
  expect((await next).status).toBe(201);
  expect(store.revisions('web')).toHaveLength(1);
  expect(failures).toEqual([]);
});

test('the head of a stream arrives although nothing is to be told yet', async () => {
  await ask('PUT', '/v1/services/web', {});
  platform.gate = new Promise(() => {});
  platform.running.set('quiet', {
    id: 'quiet',
    service: 'web',
    revision: 'web-00001',
    state: 'ready',
    requests: 0,
    idleMs: 0,
    lines: [],
  });
  // biome-ignore lint/correctness/useYield: it says nothing
  platform.logs = async function* (_, { signal }) {
    if (!signal.aborted) await once(signal, 'abort');
  };
  const first = deploy('', asStream);
  for (const response of [
    await first,
    await deploy('', asStream), // behind the first
    await ask('GET', '/v1/instances/quiet/logs?follow=true'),
    await ask('GET', '/v1/events'),
  ]) {
    expect(response.status).toBe(200);
    void response.body?.cancel();
  }
});

test('a deploy without a pull goes on when its client leaves', async () => {
  await ask('PUT', '/v1/services/web', {});
  const gate = Promise.withResolvers<void>();
  platform.gate = gate.promise;
  const leaving = new AbortController();
  const left = deploy('', { signal: leaving.signal }).catch((error: unknown) => error);
  await expect.poll(() => store.revisions('web')).toHaveLength(1);
  leaving.abort();
  await left;
  gate.resolve();
  await expect.poll(() => store.service('web')?.traffic.splits).toHaveLength(1);
});

test('when it ends, streams end, and deploys that wait or pull get an answer', async () => {
  await ask('PUT', '/v1/services/web', {});
  const { asked } = silentRegistry();
  const events = (await ask('GET', '/v1/events')).text();
  const pulling = deploy('?pull=true');
  await asked;
  const streaming = deploy('', asStream).then((response) => response.text());
  const waiting = deploy();
  for (let i = 0; i < 5; i++) await ask('GET', '/v1/services'); // all of them have arrived then
  await server.close();
  expect(await (await pulling).json()).toMatchObject({ status: 503, type: typeOf('shutting-down') });
  expect(await (await waiting).json()).toMatchObject({ status: 503, type: typeOf('shutting-down') });
  expect(await streaming).toContain(typeOf('shutting-down'));
  expect(await events).toContain('here');
});

test.each([
  ['DATABASE_BUSY', 503, 'database-busy'],
  ['DATABASE_UNWRITABLE', 503, 'database-unwritable'],
  ['DATABASE_FULL', 507, 'disk-full'],
  ['DATABASE_DAMAGED', 500, 'database-damaged'],
] as const)('%s is told, to who asks and to the operator', async (code, status, slug) => {
  const trouble = Object.assign(new Error('the database /state/cless.db was left as it is'), { code });
  store.put = () => {
    throw trouble;
  };
  const response = await ask('PUT', '/v1/services/web', {});
  expect([response.status, await response.json()]).toEqual([
    status,
    expect.objectContaining({ status, type: typeOf(slug), detail: trouble.message }),
  ]);
  expect(response.headers.get('retry-after')).toBe(status === 503 ? '2' : null);
  expect(failures).toEqual([trouble]);
});
