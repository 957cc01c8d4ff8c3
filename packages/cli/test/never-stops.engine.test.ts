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

/* A service that neither pauses nor stops, over the real proxy on a real engine. */

const owner = `test-never-${process.pid}`;
const image = `always-${owner}`;
const host = 'always.cless.cloud';

/** Asked for `/hog` it has a child that takes all the memory that there is. */
const APP = `
  const hog = 'const all = []; setInterval(() => all.push(Buffer.alloc(16e6, 1)), 1)';
  require('node:http').createServer((request, response) => {
    if (request.url === '/hog') require('node:child_process').spawn(process.execPath, ['-e', hog]);
    response.end('hello');
  }).listen(process.env.PORT);
  process.on('SIGTERM', () => process.exit(0));
`;

const running = () => dockerLines('ps', '-q', '--no-trunc', '--filter', `label=cless.owner=${owner}`);

describe.skipIf(noEngine !== undefined)('a service that never stops', () => {
  const state = stateDirectory();
  let proxy: ProxyProcess;
  let client: AdminClient;

  async function start(): Promise<void> {
    proxy = await PROXY.start({
      CLESS_OWNER: owner,
      CLESS_STATE_DIR: state.path,
      CLESS_PORT_RANGE: '21500-21549',
      CLESS_STOP_GRACE: '2s',
    });
    client = connect({ stateDir: state.path }, {});
  }

  /** The id of the one container that runs, as soon as there is one that is not `before`. */
  async function another(before?: string): Promise<string> {
    const others = async () => (await running()).filter((id) => id !== before);
    await expect.poll(others, { timeout: 20_000 }).toHaveLength(1);
    return (await others())[0] ?? '';
  }

  beforeAll(async () => {
    await sampleImage(image, {}, [`ENTRYPOINT ${JSON.stringify(['node', '-e', APP.replaceAll('\n', ' ')])}`]);
    await start();
    await client.putService('always', {});
    await client.deploy('always', {
      image,
      idle: { pauseAfter: 'never', stopAfter: 'never' },
      limits: { memory: '96MiB' },
    });
  });

  afterAll(async () => {
    await proxy.stop();
    await cleanUp(owner, [image]);
    state.remove();
  });

  test('is there again after its death, and the log says how it ended', async () => {
    const first = await another();
    await docker('kill', first);
    const second = await another(first);
    expect(proxy.logged('always exited with code 137')).toHaveLength(1);
    await docker('rm', '-f', second);
    await another(second);
    expect(proxy.logged('always never stops').length).toBeGreaterThanOrEqual(2);
  });

  test('lives on when a child of it is killed for want of memory, which is told', async () => {
    const id = await another();
    await proxy.fetch(host, '/hog');
    await expect
      .poll(() => proxy.logged('memory of the instance was used up').length, { timeout: 20_000 })
      .toBe(1);
    expect(await another()).toBe(id);
  });

  test('is started by the next proxy, unasked', async () => {
    await proxy.stop();
    expect(await running()).toEqual([]);
    await start();
    await another();
  });

  test('stays away when it is stopped by hand, until somebody asks for it', async () => {
    await another();
    await expect.poll(async () => (await client.instances())[0]?.state).toBe('ready');
    for (const { id } of await client.instances()) await client.stop(id);
    await expect.poll(running, { timeout: 10_000 }).toEqual([]);
    await sleep(3_000);
    expect(await running()).toEqual([]);
    expect((await proxy.fetch(host)).status).toBe(200);
  });
});
