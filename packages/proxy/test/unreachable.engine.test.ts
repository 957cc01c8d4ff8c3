import { setTimeout as sleep } from 'node:timers/promises';
import {
  cleanUp,
  docker,
  dockerLines,
  noEngine,
  type ProxyProcess,
  sampleImage,
  stateDirectory,
} from '@cless/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

const owner = `test-unreachable-${process.pid}`;
const suffix = `-${owner}`;
const images: string[] = [];
const state = stateDirectory();
const host = 'app.cless.cloud';
const closing = 'closing.cless.cloud';
/** Asked for `/close`, it answers and takes no connection any more, but runs on. */
const CLOSES_ITS_PORT = `
  const server = require('node:http').createServer((request, response) => {
    response.setHeader('x-instance', require('node:os').hostname());
    response.end('hello', () => {
      if (request.url !== '/close') return;
      server.close();
      server.closeAllConnections();
      setInterval(() => {}, 1000);
    });
  });
  server.listen(process.env.PORT);
  process.on('SIGTERM', () => process.exit(0));
`;
let proxy: ProxyProcess;

/** It is replaced first, and has then its grace period to end. */
const stoppedOnce = (service: string) =>
  expect.poll(() => proxy.logged(`${service} stopped (unreachable)`), { timeout: 10_000 }).toHaveLength(1);
const containers = () => dockerLines('ps', '-q', '--no-trunc', '--filter', `label=cless.owner=${owner}`);

describe.skipIf(noEngine !== undefined)(
  `an instance that cannot be reached${noEngine === undefined ? '' : ` (skipped: ${noEngine})`}`,
  () => {
    beforeAll(async () => {
      images.push(await sampleImage(`app${suffix}`));
      images.push(
        await sampleImage(`closing${suffix}`, {}, [
          `ENTRYPOINT ${JSON.stringify(['node', '-e', CLOSES_ITS_PORT.replaceAll('\n', ' ')])}`,
        ]),
      );
      proxy = await PROXY.start({
        CLESS_OWNER: owner,
        CLESS_IMAGE_SUFFIX: suffix,
        CLESS_STATE_DIR: state.path,
        CLESS_PORT_RANGE: '21300-21400',
        CLESS_STOP_GRACE: '2s',
      });
    });

    beforeEach(async () => {
      // Each ten requests earn the right to send one again.
      for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 10 }, () => proxy.fetch(host)));
    });

    afterEach(async () => {
      for (const id of await containers()) await docker('rm', '-f', id);
      await expect.poll(containers).toEqual([]);
    });

    afterAll(async () => {
      expect(await proxy.stop()).toBe(0);
      await cleanUp(owner, images);
      state.remove();
    });

    test('GETs right after a crash, twelve times: all answered', async () => {
      for (let round = 0; round < 12; round++) {
        expect((await proxy.fetch(host)).status).toBe(200);
        await proxy.fetch(host, `/exit?code=${round % 2}`);
        expect((await proxy.fetch(host)).status).toBe(200);
      }
      const ends = proxy.logged('app exited with code');
      expect(ends).toHaveLength(12);
      expect(new Set(ends.map(({ exitCode }) => exitCode))).toEqual(new Set([0, 1]));
      expect(proxy.logged('vanished')).toEqual([]);
    });

    test('GETs around six kills by hand: all answered', async () => {
      for (let round = 0; round < 6; round++) {
        expect((await proxy.fetch(host)).status).toBe(200);
        const [id = ''] = await containers();
        await docker(round % 2 === 0 ? 'kill' : 'stop', id);
        expect((await proxy.fetch(host)).status).toBe(200);
      }
    });

    test('without its network: the next requests are answered by another one', async () => {
      const first = await proxy.fetch(host);
      const [id = ''] = await containers();
      await docker('network', 'disconnect', '-f', `cless-${owner}`, id);
      const answers = await Promise.all(Array.from({ length: 10 }, () => proxy.fetch(host)));
      const good = answers.filter(({ status }) => status === 200);
      expect(good.length).toBeGreaterThan(0);
      const last = await proxy.fetch(host);
      expect(last.status).toBe(200);
      expect(last.headers['x-instance']).not.toBe(first.headers['x-instance']);
      await stoppedOnce('app');
    });

    test('with a closed port: GETs are held and answered by another one', async () => {
      const first = await proxy.fetch(closing, '/close');
      expect(first.status).toBe(200);
      await sleep(100);
      const found = proxy.fetch(closing); // that it is closed; all others are held until then
      await sleep(500);
      const held = Array.from({ length: 20 }, () => proxy.fetch(closing));
      const answers = await Promise.all([found, ...held]);
      expect(answers.map(({ status, text }) => (status === 200 ? 'ok' : text))).toEqual(Array(21).fill('ok'));
      for (const { headers } of answers) expect(headers['x-instance']).not.toBe(first.headers['x-instance']);
      await stoppedOnce('closing');
    });
  },
);
