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
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AdminClient } from '../src/client/client.ts';
import { connect } from '../src/client/connection.ts';
import { PROXY } from './proxy.ts';

/*
 * What an image declares as VOLUME, with the real proxy on a real engine: kept through sleep and over revisions, by
 * convention and by deploy, and never written by two.
 */

const owner = `test-volumes-${process.pid}`;
const suffix = `-${owner}`;
const image = `disk${suffix}`;

/** Appends what it is sent, returns all of it, and notices another writer. */
const APP = `
  const { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
  if (process.env.BROKEN) process.exit(3);
  const [log, lock] = ['/data/log', '/data/lock'];
  if (existsSync(lock)) appendFileSync(log, 'TWO WRITERS ');
  writeFileSync(lock, '');
  require('node:http').createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'POST') appendFileSync(log, request.url.slice(1) + ' ');
      response.end(existsSync(log) ? readFileSync(log) + process.env.VERSION : process.env.VERSION);
    });
  }).listen(process.env.PORT);
  process.on('SIGTERM', () => setTimeout(() => { rmSync(lock); process.exit(); }, 200));
`;

const build = (version: string) =>
  sampleImage(image, { VERSION: version }, [
    'VOLUME /data',
    `ENTRYPOINT ${JSON.stringify(['node', '-e', APP.replaceAll('\n', ' ')])}`,
  ]);
const containers = () => dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);
const volumes = () =>
  dockerLines(
    'volume',
    'ls',
    '-q',
    '--filter',
    `label=cless.owner=${owner}`,
    '--filter',
    'label=cless.service=disk',
  );

describe.skipIf(noEngine !== undefined)('an image that declares a VOLUME', () => {
  const state = stateDirectory();
  let proxy: ProxyProcess;
  let client: AdminClient;

  beforeAll(async () => {
    await build('v1');
    proxy = await PROXY.start({
      CLESS_OWNER: owner,
      CLESS_IMAGE_SUFFIX: suffix,
      CLESS_STATE_DIR: state.path,
      CLESS_PORT_RANGE: '19650-19699',
      CLESS_PAUSE_AFTER: '500ms',
      CLESS_STOP_AFTER: '1s',
    });
    client = connect({ stateDir: state.path }, {});
  });

  afterAll(async () => {
    await proxy.stop();
    await cleanUp(owner, [image]);
    const left = await volumes();
    if (left.length > 0) await docker('volume', 'rm', ...left);
    state.remove();
  });

  const ask = async (path = '/', method = 'GET') => {
    const { status, text } = await proxy.fetch('disk.cless.cloud', path, { method });
    return `${status} ${text}`;
  };

  /** Sends requests continuously until stopped. Returns the answers that were not a 200. */
  const load = () => {
    let isOver = false;
    const failures: string[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const answer = await ask().catch(String);
        if (!answer.startsWith('200')) failures.push(answer);
        await sleep(5);
      }
    });
    return async () => {
      isOver = true;
      await Promise.all(clients);
      return failures;
    };
  };

  test('is kept through sleep, by convention', async () => {
    expect(await ask('/one', 'POST')).toBe('200 one v1');
    await expect.poll(containers, { timeout: 20_000 }).toEqual([]);
    expect(await volumes()).toHaveLength(1);
    expect(await ask()).toBe('200 one v1');
  });

  test('is kept when the image is another, and no request is lost, nor are there two writers', async () => {
    const stop = load();
    await sleep(300);
    await build('v2');
    await expect.poll(() => ask(), { timeout: 20_000 }).toBe('200 one v2');
    expect(await stop()).toEqual([]);
  });

  test('is kept by deploys, under load; one that fails leaves the one before', async () => {
    await client.putService('disk', {});
    const stop = load();
    await client.deploy('disk', { image, idle: { stopAfter: '5s' } });
    expect(await ask('/two', 'POST')).toBe('200 one two v2');
    await client.deploy('disk', { image, env: { VERSION: 'v3' } });
    await expect(client.deploy('disk', { image, env: { BROKEN: '1' } })).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
      message: expect.stringContaining('exited with code 3'),
    });
    expect(await ask()).toBe('200 one two v3');
    await client.setTraffic('disk', { splits: [{ revision: 'disk-00001', percent: 100 }], tags: {} });
    expect(await ask('/three', 'POST')).toBe('200 one two three v2');
    expect(await stop()).toEqual([]);
    await expect(client.deploy('disk', { image }, { traffic: 50 })).rejects.toMatchObject({
      code: 'ROLLOUT_REPLACES',
    });
    expect(await volumes()).toHaveLength(1);
  });

  test('stays when its service is removed, and goes when that is said', async () => {
    const kept = await client.removeService('disk');
    expect(kept).toEqual({
      removed: [],
      left: [{ name: expect.stringContaining('disk-data-'), target: '/data' }],
    });
    expect(await ask()).toBe('200 one two three v2'); // by convention again
    expect(await client.removeService('disk', { volumes: true })).toEqual({ removed: kept.left, left: [] });
    expect(await volumes()).toEqual([]);
  });
});
