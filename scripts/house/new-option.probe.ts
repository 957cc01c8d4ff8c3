import { createApp } from '@cless/admin';
import { MemoryStore } from '@cless/store';
import { FakePlatform, sampleService } from '@cless/testkit';
import { expect, test } from 'vitest';
import { revisionFlags } from '../../packages/cli/src/input/revision-flags.ts';
import { ConventionSource } from '../../packages/proxy/src/services/convention.ts';
import { RegisteredSource } from '../../packages/proxy/src/services/registered.ts';

/*
 * Run by `new-option.integration.test.ts` as a test in its copy of the tree, which has another option: checks
 * everywhere that the option appears without further code.
 */

const ORIGIN = { Host: 'localhost', Authorization: 'Bearer token', 'Content-Type': 'application/json' };
const defaults = {
  readiness: { check: { kind: 'http' }, timeoutMs: 1 },
  idle: { pauseAfterMs: 1, stopAfterMs: 2 },
  stopGraceMs: 1,
} as const;

function api() {
  const store = new MemoryStore();
  store.put(sampleService('web'));
  const app = createApp({
    store,
    platform: new FakePlatform(),
    token: 'token',
    hosts: ['localhost'],
    openMetrics: false,
  });
  const deploy = (maxScale: unknown) =>
    app.request('http://localhost/v1/services/web/revisions', {
      method: 'POST',
      headers: ORIGIN,
      body: JSON.stringify({ image: 'web:1', maxScale }),
    });
  return { app, store, deploy };
}

test('the API takes it, refuses what it may not be, and gives it back', async () => {
  const { app, deploy } = api();
  expect((await deploy(0)).status).toBe(400);
  expect(await (await deploy(3)).json()).toMatchObject({ name: 'web-00001', spec: { maxScale: 3 } });
  const document = await app.request('http://localhost/openapi.json', { headers: ORIGIN });
  const maxScale = { type: 'integer', minimum: 1, maximum: 100 };
  expect(await document.json()).toMatchObject({
    components: { schemas: { RevisionInput: { properties: { maxScale } } } },
  });
});

test('it reaches the revision as the proxy sees it', async () => {
  const { store, deploy } = api();
  await deploy(3);
  const router = { changes: 0, route: () => undefined, set: () => {}, delete: () => true };
  const source = new RegisteredSource({ store, router, defaults });
  expect(source.stored('web', 'web-00001')).toMatchObject({ id: 'web-00001', maxScale: 3 });
});

test('a label of an image says it', async () => {
  const warnings: string[] = [];
  const source = new ConventionSource({
    runtime: {
      image: async () => ({ id: 'sha256:1', exposedPorts: [], labels: { 'cless.max-scale': '3' } }),
      listImages: async () => new Map([['web-docker', 'sha256:1']]),
    },
    imageSuffix: '-docker',
    defaults,
    warn: (message) => warnings.push(message),
  });
  expect((await source.resolve('web'))?.revisions).toMatchObject([{ id: 'sha256:1', maxScale: 3 }]);
  expect(warnings).toEqual([]);
});

test('the command line reads it', () => {
  const flag = revisionFlags().find(({ long }) => long === '--max-scale');
  expect(flag?.parseArg?.('3', undefined)).toBe(3);
  expect(flag?.description).toBe('how many instances there may be at once');
});
