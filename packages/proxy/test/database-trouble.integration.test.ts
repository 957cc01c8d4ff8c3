import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typeOf } from '@cless/model';
import { noDisks, type ProxyProcess, SAMPLE_COMMAND, SmallDisk, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * A state directory on a full disk, a database that another program writes, and a proxy that ends in the middle of a
 * deploy: clients get an explanation, and requests go on.
 */

const state = stateDirectory();
afterAll(() => state.remove());
const servicesFile = join(state.path, 'services.json');
writeFileSync(
  servicesFile,
  JSON.stringify({
    warm: { command: SAMPLE_COMMAND },
    cold: { command: SAMPLE_COMMAND },
    late: { command: SAMPLE_COMMAND, env: { START_DELAY_MS: '60000' } },
  }),
);

let proxy: ProxyProcess;
let directory: string;
afterEach(() => proxy.stop());

async function start(workers: string, path = mkdtempSync(join(state.path, 'state-'))): Promise<void> {
  directory = path;
  proxy = await PROXY.start({
    CLESS_RUNTIME: 'process',
    CLESS_PROCESS_SERVICES: servicesFile,
    CLESS_STATE_DIR: directory,
    CLESS_STOP_GRACE: '2s',
    CLESS_WORKERS: workers,
    CLESS_LOG_LEVEL: 'debug',
  });
}

function admin(method: string, path: string, body: unknown): Promise<Response> {
  return fetch(`http://${proxy.logged('listening')[0]?.admin}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${readFileSync(join(directory, 'admin-token'), 'utf8').trim()}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });
}

async function deploy(service: string, image = service): Promise<Response> {
  await admin('PUT', `/v1/services/${service}`, { hosts: [`${service}.test`] });
  return admin('POST', `/v1/services/${service}/revisions`, { image });
}

test.each(['1', '2'])(
  'while the database is locked, requests go on, cold ones too (%s workers)',
  async (workers) => {
    await start(workers);
    for (const service of ['warm', 'cold']) expect((await deploy(service)).status).toBe(201);
    const locker = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '-e',
        `const database = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
       database.exec('BEGIN IMMEDIATE');
       console.log('locked');
       setInterval(() => {}, 1_000);`,
        join(directory, 'cless.db'),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(locker.stdout, 'data');
    let refused: Response | undefined;
    const writing = admin('PUT', '/v1/services/other', {}).then((response) => {
      refused = response;
    });
    let answered = 0;
    while (refused === undefined) {
      for (const service of ['warm', 'cold'])
        expect((await proxy.fetch(`${service}.test`)).text).toMatch(`hello from ${service}`);
      answered++;
    }
    await writing;
    // With the lock waited for in the store itself there was time for one or two.
    expect(answered).toBeGreaterThan(20);
    expect(await refused.json()).toMatchObject({ status: 503, type: typeOf('database-busy') });
    expect(refused.headers.get('retry-after')).toBe('2');

    const patient = admin('PUT', '/v1/services/other', {});
    await proxy.fetch('warm.test');
    locker.kill('SIGKILL');
    expect((await patient).status).toBe(201);
  },
);

test.skipIf(noDisks)('on a full disk a change is 507, and requests go on', async () => {
  const disk = new SmallDisk();
  try {
    await start('2', disk.path);
    expect((await deploy('warm')).status).toBe(201);
    disk.fill();
    const refused = await admin('PUT', '/v1/services/other', {});
    expect(await refused.json()).toMatchObject({
      status: 507,
      type: typeOf('disk-full'),
      detail: expect.stringContaining('make room'),
    });
    expect(proxy.logged('the admin API failed')).toHaveLength(1);
    expect((await deploy('warm', 'cold')).status).toBe(507);
    expect((await proxy.fetch('warm.test')).status).toBe(200);
    disk.clear();
    expect((await deploy('other', 'cold')).status).toBe(201);
    expect((await proxy.fetch('other.test')).status).toBe(200);
  } finally {
    await proxy.stop();
    disk.remove();
  }
});

test('SIGTERM in the middle of a deploy: who waits for it is told', async () => {
  await start('1');
  const deploying = deploy('late');
  await expect.poll(() => proxy.logged('late starting')).toHaveLength(1);
  proxy.signal('SIGTERM');
  const response = await deploying;
  expect(await response.json()).toMatchObject({ status: 503, type: typeOf('shutting-down') });
  expect(await proxy.exited()).toBe(0);
});
