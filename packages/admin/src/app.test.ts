import { typeOf } from '@cless/model';
import { MemoryStore } from '@cless/store';
import { FakePlatform } from '@cless/testkit';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp } from './app.ts';
import type { Problem, Revision, Service } from './schemas.ts';

const TOKEN = 'a-token-for-tests';
let store: MemoryStore;
let platform: FakePlatform;
let app: ReturnType<typeof createApp>;
let unexpected: unknown[];

beforeEach(() => {
  store = new MemoryStore();
  platform = new FakePlatform();
  unexpected = [];
  app = createApp({
    store,
    platform,
    token: TOKEN,
    hosts: ['localhost', '127.0.0.1', '[::1]'],
    openMetrics: false,
    onError: (error) => unexpected.push(error),
  });
});

/** Asks as the owner of the token, from this host. */
async function ask(
  method: string,
  path: string,
  body?: unknown,
  { headers = {}, remote = '127.0.0.1' }: { headers?: Record<string, string>; remote?: string } = {},
) {
  const response = await app.request(
    path,
    {
      method,
      headers: {
        Host: 'localhost:7070',
        Authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    },
    { incoming: { socket: { remoteAddress: remote, remotePort: 1, remoteFamily: 'IPv4' } } },
  );
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

/** A service with revisions that were ready. */
async function deployed(name = 'web', revisions = 1): Promise<void> {
  await ask('PUT', `/v1/services/${name}`, {});
  for (let i = 0; i < revisions; i++) {
    const { status } = await ask('POST', `/v1/services/${name}/revisions`, {
      image: 'web:1',
      env: { N: String(i) },
    });
    expect(status).toBe(201);
  }
}

describe('services', () => {
  test('PUT creates, then replaces, and is idempotent', async () => {
    const first = await ask('PUT', '/v1/services/web', {
      hosts: ['WEB.example.', '*.web.example', 'bücher.example'],
    });
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({
      name: 'web',
      hosts: ['web.example', '*.web.example', 'xn--bcher-kva.example'],
      sticky: false,
      traffic: { splits: [], tags: {} },
    });
    const again = await ask('PUT', '/v1/services/web', { hosts: first.json.hosts });
    expect(again).toMatchObject({ status: 200, json: first.json });
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    const changed = await ask('PUT', '/v1/services/web', { sticky: true });
    expect(changed).toMatchObject({ status: 200, json: { hosts: [], sticky: true } });
    expect(changed.headers.get('etag')).not.toBe(first.headers.get('etag'));
    expect((await ask('GET', '/v1/services/web')).json).toEqual(changed.json);
  });

  test('of two changes to the same version one is refused', async () => {
    const { headers } = await ask('PUT', '/v1/services/web', {}, { headers: { 'If-None-Match': '*' } });
    const etag = headers.get('etag') ?? '';
    const changes = await Promise.all(
      [true, false].map((sticky) =>
        ask(
          'PUT',
          '/v1/services/web',
          { sticky, revisionHeader: !sticky },
          { headers: { 'If-Match': etag } },
        ),
      ),
    );
    expect(changes.map(({ status }) => status).sort()).toEqual([200, 412]);
    for (const [header, value] of [
      ['If-Match', etag],
      ['If-Match', '"of somebody else"'],
      ['If-None-Match', '*'],
    ] as const) {
      const { status, json } = await ask('PUT', '/v1/services/web', {}, { headers: { [header]: value } });
      expect([status, json.type]).toEqual([412, typeOf('version-conflict')]);
    }
    expect(
      (await ask('DELETE', '/v1/services/web', undefined, { headers: { 'If-Match': etag } })).status,
    ).toBe(412);
    expect((await ask('PUT', '/v1/services/web', {}, { headers: { 'If-Match': '*' } })).status).toBe(200);
  });

  test('a host that is taken is a conflict', async () => {
    await ask('PUT', '/v1/services/one', { hosts: ['a.example'] });
    const { status, json } = await ask('PUT', '/v1/services/two', { hosts: ['a.example'] });
    expect([status, json.type, json.detail]).toEqual([
      409,
      typeOf('host-taken'),
      expect.stringContaining('one'),
    ]);
  });

  test('they are listed in pages', async () => {
    for (const name of ['c', 'a', 'b']) await ask('PUT', `/v1/services/${name}`, {});
    const first = await ask('GET', '/v1/services?limit=2');
    expect(first.json.items.map(({ name }: Service) => name)).toEqual(['a', 'b']);
    const second = await ask('GET', `/v1/services?limit=2&after=${first.json.next}`);
    expect(second.json).toMatchObject({ items: [{ name: 'c' }] });
    expect(second.json.next).toBeUndefined();
  });

  test('DELETE removes, once', async () => {
    await deployed();
    expect((await ask('DELETE', '/v1/services/web')).status).toBe(204);
    expect(await ask('DELETE', '/v1/services/web')).toMatchObject({
      status: 404,
      json: { type: typeOf('service-not-found') },
    });
    expect(await ask('GET', '/v1/services/web/revisions')).toMatchObject({ status: 404 });
  });
});

test('how the last start went is told, also of what nobody has registered', async () => {
  expect(await ask('GET', '/v1/services/golang/start')).toMatchObject({ status: 404 });
  const failure = { reason: 'not-ready', message: 'nothing listens in it', lastLogLines: ['hm'] };
  const start = { service: 'golang', revision: 'sha256:1', at: '2026-11-25T00:00:00.000Z', failure };
  platform.lastStarts.set('golang', { ...start, image: 'golang-docker' });
  expect((await ask('GET', '/v1/services/golang/start')).json).toEqual({
    ...start,
    byConvention: true,
    image: 'golang-docker',
  });
  await deployed();
  platform.lastStarts.set('web', { ...start, service: 'web', revision: 'web-00001', image: 'web-docker' });
  expect((await ask('GET', '/v1/services/web/start')).json).toEqual({
    ...start,
    service: 'web',
    revision: 'web-00001',
    byConvention: false,
  });
});

describe('volumes that images declared', () => {
  const volume = { name: 'cless-x-web-data-1', target: '/data' };

  test('stay when their service is removed, and are told; go when that is said', async () => {
    await ask('PUT', '/v1/services/web', {});
    platform.volumesOf.set('web', [volume]);
    const kept = await ask('DELETE', '/v1/services/web');
    expect([kept.status, kept.json]).toEqual([200, { removed: [], left: [volume] }]);
    expect(store.service('web')).toBeUndefined();
    expect((await ask('DELETE', '/v1/services/web')).status).toBe(404);
    // Also for a service by convention, which has nothing else to remove.
    const gone = await ask('DELETE', '/v1/services/web?volumes=true');
    expect([gone.status, gone.json]).toEqual([200, { removed: [volume], left: [] }]);
    expect((await ask('DELETE', '/v1/services/web?volumes=true')).status).toBe(404);
  });

  test('that are in use all the same are told', async () => {
    await ask('PUT', '/v1/services/busy', {});
    platform.volumesOf.set('busy', [volume]);
    expect((await ask('DELETE', '/v1/services/busy?volumes=true')).json).toEqual({
      removed: [],
      left: [volume],
    });
  });
});

describe('deploys', () => {
  test('a revision gets all traffic once it is ready; the image is resolved to its id', async () => {
    await ask('PUT', '/v1/services/web', {});
    const { status, json } = await ask('POST', '/v1/services/web/revisions', {
      image: 'web:1',
      env: { A: 'b' },
      limits: { memory: '256m', cpus: 0.5 },
      readiness: { path: '/ready', statuses: ['200-299', 404], timeout: '5000ms' },
      idle: { pauseAfter: 'never', stopAfter: '90s' },
      timeouts: { response: '60s' },
    });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      name: 'web-00001',
      state: 'ready',
      imageId: `sha256:${'1'.repeat(64)}`,
      spec: {
        image: 'web:1',
        port: 3000,
        env: { A: 'b' },
        limits: { memory: '256MiB', cpus: 0.5 },
        readiness: { kind: 'http', path: '/ready', statuses: ['200-299', 404], timeout: '5s' },
        idle: { pauseAfter: 'never', stopAfter: '90s' },
        timeouts: { response: '1m' },
      },
    });
    expect((await ask('GET', '/v1/services/web/traffic')).json).toEqual({
      splits: [{ revision: 'web-00001', percent: 100 }],
      tags: {},
    });
    // Its output is valid as input.
    expect((await ask('POST', '/v1/services/web/revisions?ifChanged=true', json.spec)).status).toBe(200);
  });

  test('what is the same already gets the traffic, after a rollback or a deploy without any', async () => {
    const same = { image: 'web:1', env: { N: '1' } };
    const preview = async () =>
      (await ask('POST', '/v1/services/web/revisions?dryRun=true&ifChanged=true', same)).json.changes;
    await deployed('web', 2);
    expect(await preview()).toEqual([]);
    const back = { splits: [{ revision: 'web-00001', percent: 100 }], tags: { old: 'web-00001' } };
    await ask('PUT', '/v1/services/web/traffic', back);
    expect(await preview()).toEqual([{ field: 'traffic of web-00002', from: '0 %', to: '100 %' }]);
    const again = await ask('POST', '/v1/services/web/revisions?ifChanged=true', same);
    expect([again.status, again.json.name]).toEqual([200, 'web-00002']);
    expect((await ask('GET', '/v1/services/web/traffic')).json).toEqual({
      splits: [{ revision: 'web-00002', percent: 100 }],
      tags: { old: 'web-00001' },
    });
    expect(await preview()).toEqual([]);
    platform.failure = new Error('no');
    expect((await ask('POST', '/v1/services/web/revisions', { image: 'broken:1' })).status).toBe(422);
    expect(
      (await ask('POST', '/v1/services/web/revisions?dryRun=true&ifChanged=true', { image: 'broken:1' })).json
        .changes,
    ).toEqual([{ field: 'state of web-00003', from: 'failed', to: 'ready' }]);
  });

  test('variables and arguments are as large as the kernel takes them, counted in bytes', async () => {
    await ask('PUT', '/v1/services/web', {});
    const most = 128 * 1024 - 'NAME='.length - 1;
    const deploy = (input: object) => ask('POST', '/v1/services/web/revisions', { image: 'web:1', ...input });
    expect((await deploy({ env: { NAME: 'x'.repeat(most) } })).status).toBe(201);
    expect((await deploy({ command: ['x'.repeat(128 * 1024 - 1)] })).status).toBe(201);
    for (const value of ['x'.repeat(most + 1), 'ü'.repeat(most / 2 + 1)])
      expect((await deploy({ secrets: { NAME: value } })).json.errors).toEqual([
        { pointer: '#/secrets/NAME', detail: `allowed is at most ${most} bytes` },
      ]);
    expect((await deploy({ command: ['x'.repeat(128 * 1024)] })).status).toBe(400);
  });

  test('traffic, tags, none at all', async () => {
    await deployed('web', 2);
    expect(
      (await ask('POST', '/v1/services/web/revisions?traffic=10&tag=canary', { image: 'web:2' })).status,
    ).toBe(201);
    expect((await ask('GET', '/v1/services/web/traffic')).json).toEqual({
      splits: [
        { revision: 'web-00003', percent: 10 },
        { revision: 'web-00002', percent: 90 },
      ],
      tags: { canary: 'web-00003' },
    });
    expect((await ask('POST', '/v1/services/web/revisions?traffic=0', { image: 'web:1' })).json.state).toBe(
      'ready',
    );
    expect((await ask('GET', '/v1/services/web/traffic')).json.splits).toHaveLength(2);
  });

  test('one that does not get ready gets no traffic, and the answer says why', async () => {
    await deployed();
    platform.failure = Object.assign(new Error('broken exited with code 3'), {
      code: 'START_FAILED',
      lastLogLines: ['no database'],
    });
    const { status, json } = await ask('POST', '/v1/services/web/revisions', { image: 'broken:1' });
    expect(status).toBe(422);
    expect(json).toMatchObject({
      type: typeOf('deploy-failed'),
      revision: 'web-00002',
      detail: expect.stringContaining('exited with code 3'),
      lastLogLines: ['no database'],
    });
    expect((await ask('GET', '/v1/services/web/revisions/web-00002')).json).toMatchObject({
      state: 'failed',
      reason: 'broken exited with code 3',
      lastLogLines: ['no database'],
    });
    expect((await ask('GET', '/v1/services/web/traffic')).json.splits).toEqual([
      { revision: 'web-00001', percent: 100 },
    ]);
    const given = await ask('PUT', '/v1/services/web/traffic', {
      splits: [{ revision: 'web-00002', percent: 100 }],
    });
    expect([given.status, given.json.type]).toEqual([409, typeOf('revision-not-ready')]);
  });

  test('the one that was asked for last is the one that serves, however long the first takes', async () => {
    await ask('PUT', '/v1/services/web', {});
    const { promise, resolve } = Promise.withResolvers<void>();
    platform.gate = promise;
    const first = ask('POST', '/v1/services/web/revisions', { image: 'web:1' });
    const second = ask('POST', '/v1/services/web/revisions', { image: 'web:2' });
    await new Promise(setImmediate);
    resolve();
    expect((await first).json.name).toBe('web-00001');
    expect((await second).json.name).toBe('web-00002');
    expect((await ask('GET', '/v1/services/web/traffic')).json.splits).toEqual([
      { revision: 'web-00002', percent: 100 },
    ]);
  });

  test('a service that is removed while it is deployed stays removed', async () => {
    await ask('PUT', '/v1/services/web', {});
    const { promise, resolve } = Promise.withResolvers<void>();
    platform.gate = promise;
    const deploy = ask('POST', '/v1/services/web/revisions', { image: 'web:1' });
    await new Promise((done) => setTimeout(done, 10));
    await ask('DELETE', '/v1/services/web');
    resolve();
    expect((await deploy).status).toBe(404);
    expect((await ask('GET', '/v1/services')).json.items).toEqual([]);
  });

  test('a revision that writes a volume replaces, unless it is said', async () => {
    await ask('PUT', '/v1/services/web', {});
    const volume = (readOnly: boolean) => [{ source: 'data', target: '/data', readOnly }];
    const cases: [object, string | undefined][] = [
      [{ image: 'web:1' }, undefined],
      [{ image: 'web:1', volumes: volume(true) }, undefined],
      [{ image: 'web:1', volumes: volume(false) }, 'replace'],
      [{ image: 'web:1', volumes: volume(false), rollout: 'overlap' }, 'overlap'],
      [{ image: 'web:1', rollout: 'replace' }, 'replace'],
      [{ image: 'disk:1' }, 'replace'],
      [{ image: 'disk:1', volumes: volume(true) }, undefined],
    ];
    for (const [body, rollout] of cases) {
      const { status, json } = await ask('POST', '/v1/services/web/revisions', body);
      expect([body, status, json.spec?.rollout]).toEqual([body, 201, rollout]);
      expect((await ask('POST', '/v1/services/web/revisions?ifChanged=true', json.spec)).status).toBe(200);
    }
  });

  test('revisions that replace each other do not serve side by side, and a dry run says so', async () => {
    await ask('PUT', '/v1/services/web', {});
    const deploy = (query: string, body: object) => ask('POST', `/v1/services/web/revisions?${query}`, body);
    const traffic = (body: object) => ask('PUT', '/v1/services/web/traffic', body);
    await deploy('', { image: 'disk:1' });
    for (const query of ['traffic=10', 'traffic=0&tag=canary', 'traffic=10&dryRun=true']) {
      const refused = await deploy(query, { image: 'disk:1', env: { A: 'b' } });
      expect(refused).toMatchObject({
        status: 422,
        json: { type: typeOf('rollout-replaces'), detail: expect.stringContaining('rollout overlap') },
      });
    }
    expect(store.revisions('web')).toHaveLength(1);
    expect((await deploy('traffic=10', { image: 'web:1' })).status).toBe(201);
    expect((await deploy('traffic=10', { image: 'disk:1', rollout: 'overlap' })).status).toBe(201);
    expect((await deploy('traffic=0', { image: 'disk:1' })).status).toBe(201);
    const half = [
      { revision: 'web-00001', percent: 50 },
      { revision: 'web-00004', percent: 50 },
    ];
    expect(await traffic({ splits: half })).toMatchObject({
      status: 422,
      json: { type: typeOf('rollout-replaces'), errors: [{ pointer: '#/splits/1/revision' }] },
    });
    expect(
      await traffic({ splits: [{ revision: 'web-00001', percent: 100 }], tags: { next: 'web-00004' } }),
    ).toMatchObject({
      status: 422,
      json: { errors: [{ pointer: '#/tags/next' }] },
    });
    expect((await traffic({ splits: [{ revision: 'web-00004', percent: 100 }] })).status).toBe(200);
    expect((await deploy('', { image: 'disk:1', env: { C: 'd' } })).status).toBe(201);
  });

  test('what was cut off by the end of the proxy is told as failed', async () => {
    await deployed();
    store.addRevision('web', store.revisions('web')[0]?.spec ?? expect.fail());
    expect((await ask('GET', '/v1/services/web/revisions/web-00002')).json).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('the proxy ended'),
    });
  });

  test('an image that is not there is pulled only when that is asked for', async () => {
    await ask('PUT', '/v1/services/web', {});
    platform.registry.set('new:1', { id: 'sha256:9', exposedPorts: [] });
    const without = await ask('POST', '/v1/services/web/revisions', { image: 'new:1' });
    expect(without).toMatchObject({
      status: 422,
      json: { type: typeOf('image-not-found'), errors: [{ pointer: '#/image' }] },
    });
    expect((await ask('POST', '/v1/services/web/revisions?pull=true', { image: 'new:1' })).status).toBe(201);
    const none = await ask('POST', '/v1/services/web/revisions?pull=true', { image: 'none:1' });
    expect(none).toMatchObject({ status: 422, json: { type: typeOf('pull-failed') } });
  });

  test('what the installation does not allow is refused before anything is made', async () => {
    await ask('PUT', '/v1/services/web', {});
    platform.refused = [{ field: 'volumes/0/source', reason: 'the host path /etc is not allowed' }];
    // A dry run says the same.
    for (const query of ['', '?dryRun=true']) {
      const { status, json } = await ask('POST', `/v1/services/web/revisions${query}`, {
        image: 'web:1',
        volumes: [{ source: '/etc', target: '/data' }],
      });
      expect([status, json.errors]).toEqual([
        422,
        [{ pointer: '#/volumes/0/source', detail: 'the host path /etc is not allowed' }],
      ]);
    }
    expect((await ask('GET', '/v1/services/web/revisions')).json.items).toEqual([]);
  });

  test('a dry run says what would change, of secrets only which', async () => {
    await ask('PUT', '/v1/services/web', {});
    await ask('POST', '/v1/services/web/revisions', {
      image: 'web:1',
      env: { A: '1' },
      secrets: { OLD: 'old-value', KEPT: 'same' },
    });
    const { json, text } = await ask('POST', '/v1/services/web/revisions?dryRun=true', {
      image: 'web:1',
      env: { A: '2' },
      secrets: { NEW: 'new-value', KEPT: 'same' },
    });
    expect(json.changes.map(({ field }: { field: string }) => field)).toEqual([
      'env.A',
      'secrets.OLD',
      'secrets.NEW',
    ]);
    expect(text).not.toMatch(/-value/);
    expect((await ask('GET', '/v1/services/web/revisions')).json.items).toHaveLength(1);
  });

  test('progress is told as it goes', async () => {
    await ask('PUT', '/v1/services/web', {});
    const headers = { Accept: 'text/event-stream' };
    const good = await ask('POST', '/v1/services/web/revisions', { image: 'web:1' }, { headers });
    expect(good.headers.get('content-type')).toMatch('text/event-stream');
    expect([...good.text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event)).toEqual([
      ...Array(4).fill('progress'),
      'revision',
    ]);
    platform.failure = new Error('no');
    expect((await ask('POST', '/v1/services/web/revisions', { image: 'web:1' }, { headers })).text).toMatch(
      /event: problem\ndata: .*deploy-failed/,
    );
    expect(platform.listeners).toBe(0);
  });

  test('a revision can be removed when it gets no traffic', async () => {
    await deployed('web', 2);
    expect(await ask('DELETE', '/v1/services/web/revisions/web-00002')).toMatchObject({
      status: 409,
      json: { type: typeOf('revision-in-use') },
    });
    expect((await ask('DELETE', '/v1/services/web/revisions/web-00001')).status).toBe(204);
    expect((await ask('DELETE', '/v1/services/web/revisions/web-00001')).status).toBe(404);
    const items: Revision[] = (await ask('GET', '/v1/services/web/revisions')).json.items;
    expect(items.map(({ name }) => name)).toEqual(['web-00002']);
  });
});

describe('secrets', () => {
  test('can be written, and are never given back', async () => {
    await ask('PUT', '/v1/services/web', {});
    const answers = [
      await ask('POST', '/v1/services/web/revisions', { image: 'web:1', secrets: { TOKEN: 'very-secret' } }),
      await ask('POST', '/v1/services/web/revisions', { image: 'none', secrets: { TOKEN: 'very-secret' } }),
      await ask('POST', '/v1/services/web/revisions', {
        image: 'web:1',
        port: 0,
        secrets: { TOKEN: 'very-secret', 'a b': 'very-secret' },
      }),
      await ask('POST', '/v1/services/web/revisions', `{"image":"web:1","secrets":{"TOKEN":"very-secret"`),
    ];
    for (const path of [
      '/v1/services/web/revisions',
      '/v1/services/web/revisions/web-00001',
      '/v1/services',
      '/metrics',
      '/v1/status',
    ])
      answers.push(await ask('GET', path));
    for (const { text } of answers) expect(text).not.toMatch('very-secret');
    expect(JSON.stringify(platform.events)).not.toMatch('very-secret');
    expect(answers[0]?.json.secretNames).toEqual(['TOKEN']);
    expect(store.secrets('web', 'web-00001')).toEqual({ TOKEN: 'very-secret' });
  });
});

describe('traffic', () => {
  test('is replaced as a whole, at the version that was read', async () => {
    await deployed('web', 2);
    const { headers } = await ask('GET', '/v1/services/web/traffic');
    const body = {
      splits: [
        { revision: 'web-00001', percent: 90 },
        { revision: 'web-00002', percent: 10 },
      ],
      tags: { next: 'web-00002' },
    };
    const change = { headers: { 'If-Match': headers.get('etag') ?? '' } };
    expect(await ask('PUT', '/v1/services/web/traffic', body, change)).toMatchObject({
      status: 200,
      json: body,
    });
    expect((await ask('PUT', '/v1/services/web/traffic', body, change)).status).toBe(412);
    expect((await ask('GET', '/v1/services/web')).json.traffic).toEqual(body);
  });

  test.each([
    ['#/splits', { splits: [{ revision: 'web-00001', percent: 99 }] }],
    ['#/splits/0/percent', { splits: [{ revision: 'web-00001', percent: 0 }] }],
    ['#/tags/xn', { splits: [], tags: { xn: 'web-00001' } }],
    ['#/tags/a--b', { splits: [], tags: { 'a--b': 'web-00001' } }],
    ['#/tags/A', { splits: [], tags: { A: 'web-00001' } }],
  ])('%s is refused', async (pointer, body) => {
    await deployed();
    const { status, json } = await ask('PUT', '/v1/services/web/traffic', body);
    expect([status, json.errors[0].pointer]).toEqual([400, pointer]);
  });

  test('revisions that there are not are named one by one', async () => {
    await deployed();
    const { status, json } = await ask('PUT', '/v1/services/web/traffic', {
      splits: [{ revision: 'web-00009', percent: 100 }],
      tags: { next: 'web-00008' },
    });
    expect(status).toBe(422);
    expect(json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '#/splits/0/revision',
      '#/tags/next',
    ]);
  });
});

describe('bad input', () => {
  test.each([
    ['#/image', { image: 'a//b' }],
    ['#/image', { image: 'x/../y' }],
    ['#/image', { image: 'UPPER/case' }],
    ['#/image', { image: 'a:b:c' }],
    ['#/image', { image: 'x@sha256:zz' }],
    ['#/networks/0', { image: 'x', networks: ['bridge'] }],
    ['#/networks/1', { image: 'x', networks: ['backend', 'cless-another'] }],
    [
      '#/volumes/1/target',
      {
        image: 'x',
        volumes: [
          { source: 'a', target: '/data' },
          { source: 'b', target: '/data/' },
        ],
      },
    ],
  ])('%s of %j is refused, by a dry run, too', async (pointer, body) => {
    await ask('PUT', '/v1/services/web', {});
    for (const query of ['', '?dryRun=true']) {
      const { status, json } = await ask('POST', `/v1/services/web/revisions${query}`, body);
      expect([status, json.errors?.[0].pointer]).toEqual([400, pointer]);
    }
  });

  test('every field that is wrong has its pointer, what is allowed, and the nearest right word', async () => {
    await ask('PUT', '/v1/services/web', {});
    const { status, headers, json } = await ask('POST', '/v1/services/web/revisions', {
      image: '',
      prot: 80,
      env: { PORT: '1', OK: 2 },
      limits: { memory: 'much', cups: 1 },
      volumes: [{ source: '../etc', target: 'data' }],
      networks: ['host'],
      hardening: 'none',
      idle: { pauseAfter: 'soon' },
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    const errors = Object.fromEntries(
      json.errors.map(({ pointer, detail }: { pointer: string; detail: string }) => [pointer, detail]),
    );
    expect(errors).toMatchObject({
      '#/prot': expect.stringContaining('did you mean port?'),
      '#/env/PORT': expect.stringContaining('set by cLess'),
      '#/env/OK': 'allowed is a string',
      '#/limits/memory': 'allowed is an amount like 256MiB or 1GiB',
      '#/limits/cups': expect.stringContaining('did you mean cpus?'),
      '#/volumes/0/source': expect.stringContaining('an absolute path'),
      '#/volumes/0/target': expect.stringContaining('absolute path'),
      '#/networks/0': expect.stringContaining('host'),
      '#/hardening': 'allowed is baseline or restricted or off',
      '#/idle/pauseAfter': expect.stringContaining('or never'),
    });
    expect(Object.keys(errors)).toContain('#/image');
  });

  test.each([
    ['#/readiness/statuses/1', { path: '/', statuses: [200, '2xx'] }],
    ['#/readiness/statuses/0', { statuses: [99] }],
    ['#/readiness/statuses', { statuses: [] }],
    ['#/readiness/statuses', { kind: 'tcp', statuses: [200] }],
  ])('statuses: %s of %j', async (pointer, readiness) => {
    await ask('PUT', '/v1/services/web', {});
    const { status, json } = await ask('POST', '/v1/services/web/revisions', { image: 'web:1', readiness });
    expect([status, json.errors[0].pointer]).toEqual([400, pointer]);
  });

  test.each([
    ['Web', 'PUT'],
    ['-web', 'PUT'],
    ['w'.repeat(64), 'PUT'],
    ['a%2Fb', 'GET'],
    ['a_b', 'DELETE'],
  ])('the name %s', async (name, method) => {
    const { status, json } = await ask(method, `/v1/services/${name}`, method === 'PUT' ? {} : undefined);
    expect([status, json.errors[0].pointer]).toEqual([400, '#/service']);
  });

  test.each(['web.example:80', '*', 'a b', '*.1.2.3.4', 'http://web.example', '1.2.3', ''])(
    'the host %s',
    async (host) => {
      const { status, json } = await ask('PUT', '/v1/services/web', { hosts: ['ok.example', host] });
      expect([status, json.errors[0].pointer]).toEqual([400, '#/hosts/1']);
    },
  );

  test.each(['limit=0', 'limit=x', 'limit=1001', 'limt=3', 'limit=1&limit=2'])(
    'the query %s',
    async (query) => {
      expect((await ask('GET', `/v1/services?${query}`)).status).toBe(400);
    },
  );

  test('no JSON, another type, too much', async () => {
    expect((await ask('PUT', '/v1/services/web', '{')).status).toBe(400);
    expect((await ask('PUT', '/v1/services/web', '[]')).json.errors).toEqual([
      { pointer: '#', detail: 'allowed is an object' },
    ]);
    expect(
      (await ask('PUT', '/v1/services/web', '{}', { headers: { 'Content-Type': 'text/plain' } })).status,
    ).toBe(415);
    const long = JSON.stringify({ hosts: ['x'.repeat(2 * 1024 * 1024)] });
    expect(
      await ask('PUT', '/v1/services/web', long, { headers: { 'Content-Length': String(long.length) } }),
    ).toMatchObject({
      status: 413,
      json: { type: typeOf('body-too-large') },
    });
    expect((await ask('GET', '/v2/services')).json.type).toBe(typeOf('not-found'));
    expect(unexpected).toEqual([]);
  });

  test('an error that nobody expected tells nothing, but is told to the owner', async () => {
    store.services = () => {
      throw new Error('the disk at /secret/path is gone');
    };
    const { status, text } = await ask('GET', '/v1/services');
    expect(status).toBe(500);
    expect(text).not.toMatch('/secret/path');
    expect(unexpected).toHaveLength(1);
  });
});

describe('who may ask', () => {
  const PATHS = [
    '/v1/services',
    '/v1/events',
    '/v1/instances',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/v1/status',
    '/nowhere',
  ];

  test.each(PATHS)('%s needs the token', async (path) => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Bearer ${TOKEN}x`,
      `Basic ${btoa('cless:wrong')}`,
      TOKEN,
    ]) {
      const { status, headers } = await ask('GET', path, undefined, {
        headers: { Authorization: authorization },
      });
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^(?:Bearer|Basic) realm=/);
    }
  });

  test('a browser may read the document and its page with the token as a password, and nothing else', async () => {
    const headers = { Authorization: `Basic ${btoa(`anybody:${TOKEN}`)}` };
    for (const path of ['/docs', '/openapi.json'])
      expect((await ask('GET', path, undefined, { headers })).status).toBe(200);
    for (const path of ['/v1/services', '/metrics'])
      expect((await ask('GET', path, undefined, { headers })).status).toBe(401);
    expect((await ask('PUT', '/v1/services/web', {}, { headers })).status).toBe(401);
  });

  test('whether it lives and is ready anybody on this host may ask, but nobody from elsewhere', async () => {
    const headers = { Authorization: '' };
    for (const path of ['/healthz', '/readyz']) {
      expect((await ask('GET', path, undefined, { headers })).status).toBe(200);
      expect((await ask('GET', path, undefined, { headers, remote: '::ffff:127.0.0.1' })).status).toBe(200);
      expect((await ask('GET', path, undefined, { headers, remote: '192.0.2.7' })).status).toBe(401);
    }
    platform.connected = false;
    expect((await ask('GET', '/readyz', undefined, { headers })).status).toBe(503);
    platform.connected = true;
    platform.lost = 'the state directory is gone';
    const lost = await ask('GET', '/readyz', undefined, { headers });
    expect([lost.status, lost.json]).toEqual([503, { status: 'the state directory is gone' }]);
    expect((await ask('GET', '/healthz', undefined, { headers })).status).toBe(200);
  });

  test('metrics are open only if so set', async () => {
    const open = createApp({ store, platform, token: TOKEN, hosts: ['localhost'], openMetrics: true });
    const from = (remoteAddress: string) =>
      open.request(
        '/metrics',
        { headers: { Host: 'localhost' } },
        { incoming: { socket: { remoteAddress } } },
      );
    expect((await from('127.0.0.1')).status).toBe(200);
    expect((await from('192.0.2.7')).status).toBe(401);
  });

  test.each(['evil.example', 'localhost.evil.example', 'evil.example:7070', '127.0.0.2', ''])(
    'the host %s is foreign (DNS rebinding)',
    async (host) => {
      for (const path of ['/v1/services', '/healthz', '/v1/events']) {
        expect(await ask('GET', path, undefined, { headers: { Host: host } })).toMatchObject({ status: 403 });
      }
    },
  );

  test.each(['http://evil.example', 'http://localhost:3000', 'null', 'https://localhost.evil.example:7070'])(
    'the origin %s is foreign (CSRF)',
    async (origin) => {
      const { status, json } = await ask('PUT', '/v1/services/web', {}, { headers: { Origin: origin } });
      expect([status, json.type]).toEqual([403, typeOf('forbidden-origin')]);
      expect(store.services()).toEqual([]);
    },
  );

  test('its own page may', async () => {
    const headers = { Origin: 'http://localhost:7070' };
    expect((await ask('PUT', '/v1/services/web', {}, { headers })).status).toBe(201);
  });
});

describe('instances', () => {
  test('are listed, stopped, and their logs are read, by the beginning of their id', async () => {
    await deployed('web');
    await deployed('other');
    const { json } = await ask('GET', '/v1/instances?service=web');
    expect(json.items).toMatchObject([
      { service: 'web', revision: 'web-00001', state: 'ready', requests: 0 },
    ]);
    const { id } = json.items[0];
    expect(json.items[0]).not.toHaveProperty('lines');
    expect((await ask('GET', `/v1/instances/${id.slice(0, 12)}/logs`)).text).toBe('hello\nfrom web-00001\n');
    const printed = vi.spyOn(console, 'error');
    platform.failure = new Error('the engine is gone');
    expect((await ask('GET', `/v1/instances/${id}/logs?follow=true`)).text).toBe(
      'hello\nfrom web-00001\nand one more\ncless: the log broke off: the engine is gone\n',
    );
    platform.failure = undefined;
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
    expect((await ask('GET', `/v1/instances/${id}/logs?lines=1`)).text).toBe('from web-00001\n');
    expect((await ask('DELETE', `/v1/instances/${id.slice(0, 12)}`)).status).toBe(202);
    expect((await ask('DELETE', `/v1/instances/${id}`)).status).toBe(404);
    expect((await ask('GET', `/v1/instances/${id}/logs`)).status).toBe(404);
  });

  test('a beginning that two have is no name', async () => {
    await deployed('web', 2);
    expect(await ask('DELETE', '/v1/instances/web')).toMatchObject({
      status: 409,
      json: { type: typeOf('ambiguous') },
    });
  });
});

describe('the document', () => {
  test('is OpenAPI 3.1 without anything that a linter complains of', async () => {
    const { json } = await ask('GET', '/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    const config = await createConfig({ extends: ['recommended'] });
    const complaints = await lintFromString({ source: JSON.stringify(json), config });
    expect(
      complaints.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    ).toEqual([]);
  });

  test('has every path that is answered', async () => {
    const { json } = await ask('GET', '/openapi.json');
    const described = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const answered = app.routes
      .filter(({ method, path }) => method !== 'ALL' && !['/docs', '/openapi.json'].includes(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described.sort()).toEqual([...new Set(answered)].sort());
  });

  test('can be read as a page, which runs no scripts', async () => {
    const { status, headers, text } = await ask('GET', '/docs');
    // On the body alone it leaves the page's ground white in the dark.
    expect(text).toMatch(/^ *:root \{ color-scheme: light dark \}$/m);
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toMatch("default-src 'none'");
    expect(text).toContain('POST /v1/services/{service}/revisions');
    expect(text).not.toMatch(/<script/);
  });

  test('problems are what it says', async () => {
    const { json } = await ask('GET', '/v1/services/none');
    const problem: Problem = json;
    expect(problem).toEqual({
      type: typeOf('service-not-found'),
      title: 'No such service',
      status: 404,
      detail: 'There is no service none.',
    });
  });
});
