import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { typeOf } from '@cless/model';
import { type ProxyProcess, SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * The proxy with the process runtime, and its messages when it cannot start.
 */

const state = stateDirectory();
const servicesFile = join(state.path, 'services.json');
writeFileSync(
  servicesFile,
  JSON.stringify({
    hello: { command: SAMPLE_COMMAND },
    quitter: { command: SAMPLE_COMMAND, env: { EXIT_CODE: '3' } },
  }),
);

const settings = {
  CLESS_RUNTIME: 'process',
  CLESS_PROCESS_SERVICES: servicesFile,
  CLESS_STATE_DIR: state.path,
  CLESS_STOP_GRACE: '2s',
};
let proxy: ProxyProcess | undefined;

afterEach(() => proxy?.stop());
afterAll(() => state.remove());

test.each(['undici', 'http-proxy-3'])(
  'services are child processes, started, paused, resumed and stopped (%s)',
  async (forwarder) => {
    proxy = await PROXY.start({
      ...settings,
      CLESS_FORWARDER: forwarder,
      CLESS_PAUSE_AFTER: '200ms',
      CLESS_STOP_AFTER: '1500ms',
    });
    const cold = await proxy.fetch('hello.example');
    expect(cold).toMatchObject({ status: 200, text: 'hello from hello at /\n' });
    await expect.poll(() => proxy?.logged('hello paused')).toHaveLength(1);
    const resumed = await proxy.fetch('hello.example');
    expect(resumed.headers['server-timing']).toContain('cless-resume');
    expect(resumed.headers['x-instance']).toBe(cold.headers['x-instance']);
    await expect.poll(() => proxy?.logged('hello stopped (idle)'), { timeout: 5_000 }).toHaveLength(1);
    expect((await proxy.fetch('quitter.example')).json()).toMatchObject({
      type: typeOf('start-failed'),
      detail: expect.stringContaining('code 3'),
    });
    expect((await proxy.fetch('other.example')).status).toBe(404);
    expect(await proxy.stop()).toBe(0);
  },
);

test('a killed proxy’s processes are adopted', async () => {
  proxy = await PROXY.start(settings);
  const before = await proxy.fetch('hello.example');
  await proxy.stop('SIGKILL');
  proxy = await PROXY.start(settings);
  expect((await proxy.fetch('hello.example')).headers['x-instance']).toBe(before.headers['x-instance']);
});

test('one that listens nowhere says why, and names the setting', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const { code, output } = await PROXY.run({ ...settings, CLESS_LISTEN: `127.0.0.1:${port}` });
  taken.close();
  expect([code, output]).toEqual([
    2,
    `cless: CLESS_LISTEN: cannot listen on 127.0.0.1:${port}: another program does already\n`,
  ]);
});

test('an unknown or malformed setting ends it with an error that says what is allowed', async () => {
  expect(await PROXY.run({ ...settings, CLESS_PAUSE_AFTER: 'soon' })).toEqual({
    code: 2,
    output:
      'cless: CLESS_PAUSE_AFTER: "soon" is not allowed; allowed is a duration like 250ms, 30s or 5m, or never\n',
  });
  expect((await PROXY.run({ ...settings, CLESS_PROCESS_SERVICES: '' })).output).toContain(
    'CLESS_PROCESS_SERVICES',
  );
});

test('--help tells the settings', async () => {
  const { code, output } = await PROXY.run(settings, ['--help']);
  expect(code).toBe(0);
  expect(output).toContain('CLESS_PAUSE_AFTER');
});
