import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * The real process with a log that cannot be written: requests matter more.
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(servicesFile, JSON.stringify({ web: { command: SAMPLE_COMMAND } }));
const adminUrl = join(state.path, 'admin-url');
let proxy: ChildProcess | undefined;

afterEach(() => proxy?.kill('SIGKILL'));
afterAll(() => state.remove());

async function start(stdout: number | 'pipe', settings: Record<string, string>): Promise<string> {
  rmSync(adminUrl, { force: true });
  const port = await freePort();
  proxy = spawn(process.execPath, PROXY.command, {
    env: {
      PATH: process.env.PATH,
      CLESS_LISTEN: `127.0.0.1:${port}`,
      CLESS_ADMIN_LISTEN: '127.0.0.1:0',
      CLESS_RUNTIME: 'process',
      CLESS_PROCESS_SERVICES: servicesFile,
      CLESS_STATE_DIR: state.path,
      ...settings,
    },
    stdio: ['ignore', stdout, 'inherit'],
  });
  await expect.poll(() => existsSync(adminUrl), { timeout: 20_000 }).toBe(true);
  return `http://127.0.0.1:${port}`;
}

async function linesDropped(): Promise<number> {
  const token = readFileSync(join(state.path, 'admin-token'), 'utf8').trim();
  const url = `${readFileSync(adminUrl, 'utf8').trim()}/metrics`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  return Number(/^cless_log_lines_dropped_total (\d+)$/m.exec(await answer.text())?.[1]);
}

test.each([
  [{ CLESS_LOG_FORMAT: 'json' }],
  [{ CLESS_LOG_FORMAT: 'pretty' }],
  [{ CLESS_LOG_FORMAT: 'json', CLESS_WORKERS: '2' }],
])('on a disk that is full: %j', async (settings) => {
  const url = await start(openSync('/dev/full', 'w'), settings);
  for (let i = 0; i < 20; i++) {
    const answer = await fetch(url);
    expect(answer.status).toBe(404); // the convention never applies to an address
  }
  expect(await linesDropped()).toBeGreaterThanOrEqual(20);
  proxy?.kill('SIGTERM');
  expect(await once(proxy as ChildProcess, 'exit')).toEqual([0, null]);
});

test('into a pipe that nobody reads, and then one that nobody has', async () => {
  const url = await start('pipe', { CLESS_LOG_FORMAT: 'json' });
  for (let i = 0; i < 1_500; i++) await (await fetch(`${url}/${'x'.repeat(1_000)}`)).arrayBuffer();
  proxy?.stdout?.destroy();
  for (let i = 0; i < 20; i++) await (await fetch(url)).arrayBuffer();
  // Waiting lines are dropped at the next attempt, a moment later.
  await expect.poll(linesDropped).toBeGreaterThanOrEqual(20);
  proxy?.kill('SIGTERM');
  expect(await once(proxy as ChildProcess, 'exit')).toEqual([0, null]);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
