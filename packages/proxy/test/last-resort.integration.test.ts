import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type ProxyProcess, SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * An unexpected error in the real process. A preloaded module throws one at SIGUSR2.
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(servicesFile, JSON.stringify({ web: { command: SAMPLE_COMMAND } }));
const provocation = join(state.path, 'provoke.mjs');
writeFileSync(
  provocation,
  `let count = 0;
process.on('SIGUSR2', () => {
  count += 1;
  if (count === 1) void Promise.reject(new Error('provoked'));
  else setImmediate(() => { throw new Error('provoked again'); });
});`,
);

const settings = {
  CLESS_RUNTIME: 'process',
  CLESS_PROCESS_SERVICES: servicesFile,
  CLESS_STATE_DIR: state.path,
  NODE_OPTIONS: `--import=${provocation}`,
};
let proxy: ProxyProcess;

afterEach(() => proxy.stop());
afterAll(async () => {
  proxy = await PROXY.start(settings); // finds and stops what the last one left
  await proxy.stop();
  state.remove();
});

/** A request that is answered slowly, sent half a second after the connection was made. */
async function slowRequest(): Promise<Promise<string>> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.write('GET /slow?ms=700 HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => {});
  return once(socket, 'close').then(() => text);
}

test('what is open is finished, the exit has a code of its own, and the next start goes on with the instances', async () => {
  proxy = await PROXY.start({ ...settings, CLESS_WORKERS: '1' });
  const before = await proxy.fetch('web.example');
  const open = slowRequest();
  await expect
    .poll(() => proxy.fetch('web.example', '/in-flight'), { timeout: 10_000 })
    .toMatchObject({ status: 200 });
  proxy.signal('SIGUSR2');
  expect(await open).toMatch(/^HTTP\/1\.1 200 /);
  expect(await proxy.exited()).toBe(70);
  const [line] = proxy.logged('unexpected error; finishing what is open');
  expect(line?.err).toMatchObject({ message: 'provoked', stack: expect.stringContaining('provoke.mjs:') });
  proxy = await PROXY.start({ ...settings, CLESS_WORKERS: '1' });
  const after = await proxy.fetch('web.example');
  expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
  expect(proxy.logged('web adopted')).toHaveLength(1);
});

test('a second error ends it at once, and one that finishes nothing by the time limit', async () => {
  for (const errors of [2, 1]) {
    proxy = await PROXY.start({
      ...settings,
      CLESS_WORKERS: '1',
      CLESS_DRAIN_TIMEOUT: errors === 2 ? '1h' : '100ms',
    });
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /slow?ms=3600000 HTTP/1.1\r\nHost: web.example\r\n\r\n');
    await proxy.fetch('web.example');
    const exited = proxy.exited();
    proxy.signal('SIGUSR2');
    await expect.poll(() => proxy.logged('unexpected error'), { timeout: 10_000 }).toHaveLength(1);
    if (errors === 2) proxy.signal('SIGUSR2');
    expect(await exited).toBe(70);
    socket.destroy();
  }
});

test('a worker is replaced, the others and the primary go on', async () => {
  proxy = await PROXY.start({ ...settings, CLESS_WORKERS: '2' });
  await proxy.fetch('web.example');
  const [worker = 0] = proxy.workers;
  process.kill(worker, 'SIGUSR2');
  await expect.poll(() => proxy.logged('a worker has been replaced'), { timeout: 10_000 }).toHaveLength(1);
  expect(proxy.logged('unexpected error')).toMatchObject([{ pid: worker }]);
  expect(proxy.logged('a worker is gone')).toMatchObject([{ exitCode: 70 }]);
  expect(proxy.workers).toHaveLength(2);
  expect((await proxy.fetch('web.example')).status).toBe(200);
  expect(await proxy.stop()).toBe(0);
});

test('the primary’s error ends the workers in order, too', async () => {
  proxy = await PROXY.start({ ...settings, CLESS_WORKERS: '2' });
  await proxy.fetch('web.example');
  const open = slowRequest();
  await proxy.fetch('web.example');
  proxy.signal('SIGUSR2');
  expect(await open).toMatch(/^HTTP\/1\.1 200 /);
  expect(await proxy.exited()).toBe(70);
});
