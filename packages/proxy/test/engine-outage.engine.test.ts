import { setTimeout as sleep } from 'node:timers/promises';
import { typeOf } from '@cless/model';
import { noEngine, OwnEngine, type ProxyProcess, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

const skip = noEngine ?? OwnEngine.impossible;
const host = 'sample.cless.cloud';
const state = stateDirectory();
let engine: OwnEngine;
let proxy: ProxyProcess;

const settings = () => ({
  DOCKER_HOST: engine.address,
  CLESS_OWNER: 'outage',
  CLESS_IMAGE_SUFFIX: '-docker',
  CLESS_STATE_DIR: state.path,
  CLESS_PORT_RANGE: '19500-19600',
  CLESS_STOP_GRACE: '1s',
});

const containers = async () =>
  (await engine.docker('ps', '-aq', '--filter', 'label=cless.owner=outage')).split('\n').filter(Boolean);

describe.skipIf(skip !== undefined)(
  `an engine that comes and goes${skip === undefined ? '' : ` (skipped: ${skip})`}`,
  () => {
    beforeAll(async () => {
      engine = new OwnEngine();
      await engine.start();
      await engine.load('cless-testkit');
      await engine.docker('tag', 'cless-testkit', 'sample-docker');
    });

    afterEach(() => proxy.stop());

    afterAll(async () => {
      await engine.remove();
      state.remove();
    });

    test('away at the start: 503 runtime-unavailable, one clear line, and it recovers by itself', {
      timeout: 120_000,
    }, async () => {
      await engine.kill('SIGTERM');
      proxy = await PROXY.start(settings(), engine.enter);
      for (let i = 0; i < 5; i++) {
        const answer = await proxy.fetch(host);
        expect([answer.status, answer.json().type]).toEqual([503, typeOf('runtime-unavailable')]);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
        await sleep(100);
      }
      expect(proxy.logged('runtime unavailable')).toHaveLength(1);
      await engine.start();
      await expect.poll(async () => (await proxy.fetch(host)).status, { timeout: 20_000 }).toBe(200);
      expect(await containers()).toHaveLength(1);
    });

    test('killed and started again under load: errors only while it is away, all good after', {
      timeout: 180_000,
    }, async () => {
      proxy = await PROXY.start(settings(), engine.enter);
      expect(await proxy.fetch(host)).toMatchObject({ status: 200 });
      let loading = true;
      const seen: { atMs: number; status: number }[] = [];
      const load = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (loading) {
            const status = await proxy.fetch(host).then(
              ({ status }) => status,
              () => 0,
            );
            seen.push({ atMs: performance.now(), status });
            await sleep(10);
          }
        }),
      );
      await sleep(500);
      const killedAtMs = performance.now();
      await engine.kill('SIGKILL');
      await sleep(1000);
      await engine.start();
      await expect.poll(async () => (await proxy.fetch(host)).status, { timeout: 30_000 }).toBe(200);
      const backAtMs = performance.now();
      await sleep(2000);
      loading = false;
      await load;
      expect(seen.filter(({ atMs, status }) => atMs < killedAtMs && status !== 200)).toEqual([]);
      // One that began while it was away may be answered a moment after.
      expect(seen.filter(({ atMs, status }) => atMs > backAtMs + 500 && status !== 200)).toEqual([]);
      expect(seen.filter(({ atMs }) => atMs > backAtMs + 500).length).toBeGreaterThan(50);
      expect(await containers()).toHaveLength(1);
      expect(proxy.exitCode).toBeNull();
    });

    test('one that does not answer: warm services go on, and it recovers', { timeout: 120_000 }, async () => {
      proxy = await PROXY.start(settings(), engine.enter);
      expect(await proxy.fetch(host)).toMatchObject({ status: 200 });
      engine.freeze(true);
      try {
        for (let i = 0; i < 20; i++) expect(await proxy.fetch(host)).toMatchObject({ status: 200 });
      } finally {
        engine.freeze(false);
      }
      await engine.docker('tag', 'cless-testkit', 'other-docker');
      await expect
        .poll(async () => (await proxy.fetch('other.cless.cloud')).status, { timeout: 20_000 })
        .toBe(200);
    });
  },
);
