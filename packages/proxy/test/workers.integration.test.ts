import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProxyProcess, SAMPLE_COMMAND, seededRandom, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { PROXY } from './proxy.ts';

/*
 * The proxy in several processes: workers know of each other what they must, and one that dies only loses its own
 * connections. (`npm run test:workers` runs the other suites with two.)
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(
  servicesFile,
  JSON.stringify({
    web: { command: SAMPLE_COMMAND },
    other: { command: SAMPLE_COMMAND },
    late: { command: SAMPLE_COMMAND, env: { START_DELAY_MS: '1500' } },
  }),
);

const settings = {
  CLESS_RUNTIME: 'process',
  CLESS_PROCESS_SERVICES: servicesFile,
  CLESS_STATE_DIR: state.path,
  CLESS_STOP_GRACE: '2s',
  CLESS_WORKERS: '2',
};
const host = 'web.example';
let proxy: ProxyProcess;

afterEach(() => proxy.stop());
afterAll(() => state.remove());

/** The processes that have answered requests. */
const answeredBy = () => new Set(proxy.logged('GET').map(({ pid }) => pid));

async function admin(path: string, init: { method?: string; body?: unknown } = {}): Promise<Response> {
  const [listening] = proxy.logged('listening');
  return fetch(`http://${listening?.admin}${path}`, {
    method: init.method ?? 'GET',
    headers: {
      Authorization: `Bearer ${readFileSync(join(state.path, 'admin-token'), 'utf8').trim()}`,
      ...(init.body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
  });
}

async function instances(): Promise<{ requests: number }[]> {
  const { items } = (await (await admin('/v1/instances')).json()) as { items: { requests: number }[] };
  return items;
}

/** Starts and ends of a service's instances never overlap. */
function expectOneAtATime(service: string): void {
  let alive = 0;
  for (const { msg } of proxy.lines) {
    if (msg === `${service} starting`) alive += 1;
    if (msg.startsWith(`${service} stopping`)) alive -= 1;
    expect(alive).toBeLessThanOrEqual(1);
  }
}

test('300 requests at once for a cold service: both workers answer, one start', async () => {
  proxy = await PROXY.start(settings);
  expect(proxy.workers).toHaveLength(2);
  const answers = await Promise.all(Array.from({ length: 300 }, () => proxy.fetch(host)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ headers }) => headers['x-instance'])).size).toBe(1);
  expect(answeredBy()).toEqual(new Set(proxy.workers));
  expect(proxy.logged('listening')).toHaveLength(1);
});

test('requests at random moments around pauses and stops, through three workers: all answered, one instance at a time', async () => {
  proxy = await PROXY.start({
    ...settings,
    CLESS_WORKERS: '3',
    CLESS_LOG_LEVEL: 'debug',
    CLESS_PAUSE_AFTER: '30ms',
    CLESS_STOP_AFTER: '250ms',
  });
  const random = seededRandom(20261124);
  const answers = [];
  for (let i = 0; i < 600; i++) {
    const dice = random();
    if (dice < 0.02) await sleep(200 + random() * 200);
    else if (dice < 0.3) await sleep(20 + random() * 40);
    const answer = proxy.fetch(host, `/${i}`);
    answer.catch(() => {});
    answers.push(answer);
  }
  const wrong = (await Promise.all(answers)).filter(
    ({ status, text }, i) => status !== 200 || text !== `hello from web at /${i}\n`,
  );
  expect(wrong).toEqual([]);
  expect(proxy.logged('web paused').length).toBeGreaterThan(10);
  expect(proxy.logged('web stopped (idle)').length).toBeGreaterThan(2);
  expectOneAtATime('web');
});

test('a WebSocket through one worker keeps the instance, whatever goes through the others', async () => {
  proxy = await PROXY.start({ ...settings, CLESS_PAUSE_AFTER: '50ms', CLESS_STOP_AFTER: '150ms' });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, { headers: { host } });
  await once(socket, 'open');
  for (let i = 0; i < 20; i++) {
    await proxy.fetch(host);
    await sleep(80);
  }
  expect(proxy.logged('web paused')).toEqual([]);
  socket.send('still there');
  const [message] = (await once(socket, 'message')) as [Buffer];
  expect(message.toString()).toBe('still there');
  socket.close();
  await expect.poll(() => proxy.logged('web stopped (idle)'), { timeout: 5_000 }).toHaveLength(1);
});

test('workers that are killed under load take their own connections with them and nothing else', {
  timeout: 120_000,
}, async () => {
  proxy = await PROXY.start({ ...settings, CLESS_PAUSE_AFTER: '300ms', CLESS_STOP_AFTER: '5s' });
  await proxy.fetch(host);
  let ended = false;
  const statuses: number[] = [];
  const broken: string[] = [];
  const clients = Array.from({ length: 20 }, async () => {
    while (!ended) {
      try {
        statuses.push((await proxy.fetch(host)).status);
      } catch (error) {
        broken.push((error as NodeJS.ErrnoException).code ?? '');
        await sleep(5);
      }
    }
  });
  for (let i = 0; i < 4; i++) {
    await sleep(200);
    const victim = proxy.workers[i % 2];
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
    await expect
      .poll(() => proxy.workers.filter((pid) => pid !== victim).length, { timeout: 15_000 })
      .toBe(2);
    await expect.poll(() => proxy.logged('replaced').length, { timeout: 15_000 }).toBe(i + 1);
  }
  ended = true;
  await Promise.all(clients);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statuses.length).toBeGreaterThan(100);
  for (const code of broken) expect(['ECONNRESET', 'ECONNREFUSED']).toContain(code);
  expect(proxy.logged('web created')).toHaveLength(1);
  // None of their leases is held for ever.
  await expect.poll(() => proxy.logged('web paused').length, { timeout: 5_000 }).toBeGreaterThan(0);
});

test('a worker that is killed with a stream and with a request that waits: both are released, others are served', async () => {
  proxy = await PROXY.start({ ...settings, CLESS_PAUSE_AFTER: '200ms', CLESS_STOP_AFTER: 'never' });
  const streams = Array.from({ length: 8 }, () => proxy.fetch(host, '/slow?ms=60000'));
  const waits = Array.from({ length: 8 }, () => proxy.fetch('late.example'));
  for (const one of [...streams, ...waits]) one.catch(() => {});
  await expect.poll(() => proxy.logged('web ready').length, { timeout: 5_000 }).toBe(1);
  const before = proxy.workers;
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await expect.poll(() => proxy.logged('replaced').length, { timeout: 10_000 }).toBe(2);
  for (const one of [...streams, ...waits]) await expect(one).rejects.toThrow();
  await expect.poll(() => proxy.logged('web paused').length, { timeout: 5_000 }).toBe(1);
  // The start goes on although nobody waits for it any more.
  await expect.poll(() => proxy.logged('late paused').length, { timeout: 5_000 }).toBe(1);
  expect((await proxy.fetch('late.example')).headers['server-timing']).toContain('cless-resume');
});

test('a change holds for each request that comes after its answer, through whichever worker', async () => {
  proxy = await PROXY.start(settings);
  await admin('/v1/services/shop', { method: 'PUT', body: { hosts: ['shop.example'] } });
  for (const image of ['web', 'other']) {
    const deployed = await admin('/v1/services/shop/revisions', { method: 'POST', body: { image } });
    expect(deployed.status).toBe(201);
  }
  const instances: string[] = [];
  for (let i = 0; i < 20; i++) {
    const revision = `shop-0000${1 + (i % 2)}`;
    const changed = await admin('/v1/services/shop/traffic', {
      method: 'PUT',
      body: { splits: [{ revision, percent: 100 }] },
    });
    expect(changed.status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 6 }, () => proxy.fetch('shop.example')));
    const served = new Set(answers.map(({ headers }) => headers['x-instance']));
    expect(served.size).toBe(1);
    instances.push(String([...served][0]));
  }
  for (let i = 1; i < instances.length; i++) expect(instances[i]).not.toBe(instances[i - 1]);
  expect((await admin('/v1/services/shop', { method: 'DELETE' })).status).toBe(204);
  const gone = await Promise.all(Array.from({ length: 6 }, () => proxy.fetch('shop.example')));
  expect(new Set(gone.map(({ status }) => status))).toEqual(new Set([404]));
});

test('the admin API and the metrics count what all workers do', async () => {
  proxy = await PROXY.start(settings);
  await Promise.all(Array.from({ length: 50 }, () => proxy.fetch(host)));
  const open = Array.from({ length: 10 }, () => proxy.fetch(host, '/slow?ms=1000'));
  const requests = async () => (await instances())[0]?.requests;
  await expect.poll(requests).toBe(10);
  const metrics = async () => (await admin('/metrics')).text();
  expect(await metrics()).toContain('cless_requests_in_flight{service="web"} 10');
  expect(await metrics()).toContain('cless_requests_total{service="web",code="2xx"} 50');
  await Promise.all(open);
  await expect.poll(requests).toBe(0);

  // Counters never decrease, even if the worker that counted is gone.
  expect(await metrics()).toContain('cless_requests_total{service="web",code="2xx"} 60');
  for (const pid of proxy.workers) process.kill(pid, 'SIGKILL');
  await expect.poll(() => proxy.logged('replaced').length, { timeout: 10_000 }).toBe(2);
  await proxy.fetch(host);
  expect(await metrics()).toContain('cless_requests_total{service="web",code="2xx"} 61');
});

test('the primary that is killed takes its workers with it; the successor adopts what runs', async () => {
  proxy = await PROXY.start(settings);
  const before = await proxy.fetch(host);
  const { workers, port } = proxy;
  await proxy.stop('SIGKILL');
  const alive = () => workers.filter((pid) => isAlive(pid));
  await expect.poll(alive, { timeout: 5_000 }).toEqual([]);
  proxy = await PROXY.start({ ...settings, CLESS_LISTEN: `127.0.0.1:${port}` });
  expect((await proxy.fetch(host)).headers['x-instance']).toBe(before.headers['x-instance']);
});

test('SIGTERM to the whole process group: what is open is finished, and all are gone', async () => {
  proxy = await PROXY.start(settings);
  await proxy.fetch(host);
  const open = Array.from({ length: 6 }, () => proxy.fetch(host, '/slow?ms=800'));
  await expect.poll(async () => (await instances())[0]?.requests).toBe(6);
  const { workers } = proxy;
  for (const pid of workers) process.kill(pid, 'SIGTERM'); // as a service manager does, or a terminal
  expect(await proxy.stop('SIGTERM')).toBe(0);
  for (const one of open) expect(await one).toMatchObject({ status: 200, text: 'at last\n' });
  expect(workers.filter((pid) => isAlive(pid))).toEqual([]);
});

test('SIGTERM to one worker: it finishes what is open and is replaced, others are served meanwhile', async () => {
  proxy = await PROXY.start(settings);
  await proxy.fetch(host);
  const open = Array.from({ length: 8 }, () => proxy.fetch(host, '/slow?ms=2500'));
  await expect.poll(async () => (await instances())[0]?.requests).toBe(8);
  const [victim = 0] = proxy.workers;
  process.kill(victim, 'SIGTERM');
  const results: (number | string)[] = [];
  while (isAlive(victim)) {
    results.push(
      await proxy.fetch(host).then(
        ({ status }) => status,
        ({ code }) => code,
      ),
    );
    await sleep(20);
  }
  // Requests that arrived just as it closed get a 503, or no answer.
  expect(results.filter((result) => result !== 200 && result !== 503 && result !== 'ECONNRESET')).toEqual([]);
  expect(results.filter((result) => result === 200).length).toBeGreaterThan(results.length * 0.8);
  for (const one of open) expect(await one).toMatchObject({ status: 200, text: 'at last\n' });
  await expect.poll(() => proxy.logged('replaced'), { timeout: 5_000 }).toHaveLength(1);
  expect(proxy.workers).toHaveLength(2);
});

test('an address that somebody else has is refused, also one of another proxy with workers', async () => {
  proxy = await PROXY.start(settings);
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const taken = (listener.address() as { port: number }).port;
  const another = stateDirectory();
  for (const port of [taken, proxy.port]) {
    const refused = await PROXY.run({
      ...settings,
      CLESS_STATE_DIR: another.path,
      CLESS_LISTEN: `127.0.0.1:${port}`,
      CLESS_ADMIN_LISTEN: 'off',
    });
    expect(refused).toEqual({
      code: 2,
      output: `cless: CLESS_LISTEN: cannot listen on 127.0.0.1:${port}: another program does already\n`,
    });
  }
  listener.close();
  another.remove();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
