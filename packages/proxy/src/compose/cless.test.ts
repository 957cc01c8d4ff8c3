import { once } from 'node:events';
import { createServer, get, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryStore } from '@cless/store';
import { FixedRuntime, sampleRevision, sampleService } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Cless, type ClessOptions, createCless } from './cless.ts';

const ready = async () => ({ attempts: 1, durationMs: 0 });

const upstream = createServer((request, response) => {
  response.end(`${request.headers['x-forwarded-host']}${request.url}`);
});
let runtime: FixedRuntime;
let cless: Cless | undefined;

beforeEach(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const endpoint = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
  runtime = new FixedRuntime({ 'web-docker': endpoint, other: endpoint });
});

afterEach(async () => {
  await cless?.close();
  upstream.close();
  upstream.closeAllConnections();
});

/** Starts what `createCless` makes with these options, and a client of it. */
async function start(options: Partial<ClessOptions> = {}) {
  cless = createCless({ runtime, probe: ready, ...options });
  const { port } = await cless.listen({ host: '127.0.0.1', port: 0 });
  return async (host: string, headers: IncomingHttpHeaders = {}) => {
    const request = get({ port, headers: { ...headers, host }, agent: false });
    const [answer] = await once(request, 'response');
    let text = '';
    for await (const chunk of answer) text += chunk;
    return { status: answer.statusCode as number, text };
  };
}

test('a runtime is enough: services are by convention, and everything else is as the settings have it', async () => {
  const ask = await start();
  expect(await ask('web.example')).toEqual({ status: 200, text: 'web.example/' });
  expect((await ask('other.example')).status).toBe(404);
  expect((await ask('web.example', { 'x-a': 'a'.repeat(30_000) })).status).toBe(431);
});

test('services are what they are given as, besides those by convention or without', async () => {
  const services = {
    shop: { image: 'other', hosts: ['shop.example', '*.shop.example'] },
    api: { image: 'other' },
    gone: { image: 'nowhere' },
  };
  const ask = await start({ services });
  for (const host of ['shop.example', 'www.shop.example', 'api.example', 'web.example'])
    expect(await ask(host)).toEqual({ status: 200, text: `${host}/` });
  expect((await ask('other.example')).status).toBe(404);
  expect((await ask('gone.example')).status).toBe(502); // it is a service, whose start fails
  await cless?.close();

  const askWithout = await start({ services, convention: false });
  expect((await askWithout('api.example')).status).toBe(200);
  expect((await askWithout('web.example')).status).toBe(404);
});

test('how images and services are called is said by options of the settings’ names', async () => {
  const ask = await start({ imageSuffix: '', domain: 'apps.example' });
  expect((await ask('other.apps.example')).status).toBe(200);
  expect((await ask('other.example')).status).toBe(404);
  expect((await ask('web.apps.example')).status).toBe(404);
});

test('what changes in a store holds for the next request, until it is closed', async () => {
  const store = new MemoryStore();
  const ask = await start({ store });
  expect((await ask('new.example')).status).toBe(404);
  store.put(sampleService('new'));
  const { name } = store.addRevision('new', sampleRevision({ imageId: 'other' }));
  store.settle('new', name, { phase: 'ready' });
  store.setTraffic('new', { splits: [{ revision: name, percent: 100 }], tags: {} });
  expect(await ask('new.example')).toEqual({ status: 200, text: 'new.example/' });
  await cless?.close();
  store.remove('new'); // there are no listeners any more
});

test('limits, and whom to believe, are those that are given', async () => {
  const ask = await start({ limits: { maxTargetBytes: 256, maxHeaderCount: 3 }, trustProxy: ['127.0.0.1'] });
  const forwarded = { 'x-forwarded-host': 'before.example' };
  expect((await ask('web.example', forwarded)).text).toBe('before.example/');
  expect((await ask('web.example', { a: 'a', b: 'b', c: 'c' })).status).toBe(431);
});

test('what happens to instances is told, and closing stops them; unless they are to be kept', async () => {
  const types: string[] = [];
  const ask = await start({ onEvent: ({ type }) => types.push(type) });
  await ask('web.example');
  expect(types).toEqual(expect.arrayContaining(['runtime-connected', 'starting', 'ready']));
  await cless?.close({ keep: true });
  expect(await runtime.list()).toHaveLength(1);

  await using again = createCless({ runtime, probe: ready });
  await again.listen({ host: '127.0.0.1', port: 0 });
  await again.close();
  expect(await runtime.list()).toEqual([]);
});

test('that it cannot listen there is told, and the runtime is left alone', async () => {
  const { port } = upstream.address() as AddressInfo;
  const types: string[] = [];
  cless = createCless({ runtime, onEvent: ({ type }) => types.push(type) });
  await expect(cless.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(types).toEqual([]);
});
