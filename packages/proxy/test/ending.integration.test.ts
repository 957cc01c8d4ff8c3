import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ProxyProcess, SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * Signals, a hanging engine, and exhausted file descriptors: the proxy ends when told to, and not before.
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(
  servicesFile,
  JSON.stringify({
    web: { command: SAMPLE_COMMAND },
    stubborn: { command: SAMPLE_COMMAND, env: { IGNORE_SIGTERM: '1' } },
  }),
);
const settings = {
  CLESS_RUNTIME: 'process',
  CLESS_PROCESS_SERVICES: servicesFile,
  CLESS_STATE_DIR: state.path,
  CLESS_STOP_GRACE: '1s',
};
let proxy: ProxyProcess | undefined;
let child: ChildProcess | undefined;

beforeEach(() => {
  proxy = undefined;
  child = undefined;
});
afterEach(async () => {
  await proxy?.stop('SIGKILL');
  child?.kill('SIGKILL');
});
afterAll(() => state.remove());

test.each(['1', '2'])('SIGHUP finishes what is open, as SIGTERM does (%s workers)', async (workers) => {
  proxy = await PROXY.start({ ...settings, CLESS_WORKERS: workers });
  await proxy.fetch('web.example');
  const slow = proxy.fetch('web.example', '/slow?ms=500');
  await proxy.fetch('web.example');
  // As the kernel does when a terminal closes: to all of its processes.
  for (const pid of [proxy.pid, ...proxy.workers]) process.kill(pid, 'SIGHUP');
  expect(await slow).toMatchObject({ status: 200, text: 'at last\n' });
  expect(await proxy.exited()).toBe(0);
  expect(proxy.logged('bye')).toHaveLength(1);
});

test.each([{}, { CLESS_OWNER: `hangs-${process.pid}` }])(
  'an engine that never answers holds neither the start nor the end: %j',
  async (owner) => {
    const sockets = new Set<Socket>();
    const engine = createServer((socket) => {
      sockets.add(socket.on('error', () => {}).resume());
    });
    const path = join(state.path, `engine${Object.keys(owner).length}.sock`);
    engine.listen(path);
    await once(engine, 'listening');
    proxy = await PROXY.start({
      CLESS_STATE_DIR: state.path,
      CLESS_DRAIN_TIMEOUT: '300ms',
      CLESS_STOP_GRACE: '300ms',
      DOCKER_HOST: `unix://${path}`,
      ...owner,
    });
    const held = proxy.fetch('web.example').then(
      ({ status }) => status,
      () => 'reset',
    );
    await expect.poll(() => sockets.size, { timeout: 10_000 }).toBeGreaterThan(0);
    const exited = proxy.exited();
    proxy.signal('SIGTERM');
    expect([503, 'reset']).toContain(await held);
    expect(await exited).toBe(0);
    for (const socket of sockets) socket.destroy();
    engine.close();
  },
);

test('empty files of the state directory are told, with code 2 and without a stack', async () => {
  for (const [file, message] of [
    ['admin-token', 'holds no token'],
    ['cless.db', 'is empty'],
  ] as const) {
    const other = stateDirectory();
    writeFileSync(join(other.path, file), '');
    const { code, output } = await PROXY.run({
      ...settings,
      CLESS_STATE_DIR: other.path,
      CLESS_LISTEN: '127.0.0.1:0',
    });
    expect([code, output]).toEqual([2, expect.stringContaining(message)]);
    expect(output).not.toContain('    at ');
    other.remove();
  }
});

test('no descriptors left: it is told, and goes on when there are some again', async () => {
  child = spawn('sh', ['-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, ...PROXY.command], {
    env: { PATH: process.env.PATH, ...settings, CLESS_LISTEN: '127.0.0.1:0', CLESS_ADMIN_LISTEN: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: { msg: string; address?: string }[] = [];
  const { stdout } = child;
  if (stdout === null) throw new Error('no stdout');
  createInterface(stdout).on('line', (line) => lines.push(JSON.parse(line)));
  const logged = (text: string) => lines.filter(({ msg }) => msg.includes(text));
  await expect.poll(() => logged('listening'), { timeout: 20_000 }).toHaveLength(1);
  const port = Number(logged('listening')[0]?.address?.split(':').at(-1));
  const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await expect.poll(() => logged('no file descriptors are left'), { timeout: 10_000 }).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => logged('file descriptors are free again'), { timeout: 10_000 }).toHaveLength(1);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
