import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { typeOf } from '@cless/model';
import {
  cleanUp,
  docker,
  dockerLines,
  noEngine,
  type ProxyProcess,
  sampleImage,
  stateDirectory,
} from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * Two proxies with one owner never touch each other's containers, whatever became of the state directory.
 */

describe.skipIf(noEngine !== undefined)('an owner', () => {
  const owner = `owner-${process.pid}`;
  const image = `web-${owner}`;
  const one = stateDirectory();
  const other = stateDirectory();
  const settings = {
    CLESS_OWNER: owner,
    CLESS_STATE_DIR: one.path,
    CLESS_IMAGE_SUFFIX: `-${owner}`,
    CLESS_PORT_RANGE: '18700-18790',
    CLESS_STOP_GRACE: '1s',
  };
  const stranger = {
    ...settings,
    CLESS_STATE_DIR: other.path,
    CLESS_LISTEN: '127.0.0.1:0',
    CLESS_ADMIN_LISTEN: 'off',
    CLESS_LOG_FORMAT: 'json',
  };
  const host = 'web.example';
  let proxy: ProxyProcess | undefined;

  beforeAll(() => sampleImage(image));
  afterEach(async () => {
    await proxy?.stop();
    await cleanUp(owner);
  });
  afterAll(async () => {
    await cleanUp(owner, [image]);
    one.remove();
    other.remove();
  });

  const containers = () => dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);

  test('is one state directory’s: a second proxy says whose it is, and touches nothing', async () => {
    proxy = await PROXY.start(settings);
    const before = await proxy.fetch(host);
    expect(before.status).toBe(200);
    for (const pruned of [false, true]) {
      if (pruned) await docker('volume', 'rm', `cless.owner.${owner}`);
      const { code, output } = await PROXY.run(stranger);
      expect(code).toBe(2);
      expect(output).toContain('CLESS_OWNER');
      if (!pruned) expect(output).toContain(`CLESS_STATE_DIR=${one.path}`);
      expect(output).toContain('--take-over');
      expect(output).not.toContain('    at ');
    }
    const after = await proxy.fetch(host);
    expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
    expect(proxy.logged('stopp')).toEqual([]);
    expect(await containers()).toHaveLength(1);
  });

  test('can be taken over, with what runs, when its state directory is lost', async () => {
    proxy = await PROXY.start(settings);
    const before = await proxy.fetch(host);
    expect(before.status).toBe(200);
    await proxy.stop('SIGKILL');
    expect((await PROXY.run(stranger)).code).toBe(2);
    proxy = await PROXY.start(stranger, [], ['--take-over']);
    const after = await proxy.fetch(host);
    expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
    await proxy.stop();
    expect(
      (await PROXY.run({ ...settings, ...{ CLESS_LISTEN: '127.0.0.1:0', CLESS_ADMIN_LISTEN: 'off' } })).code,
    ).toBe(2);
  });

  test('is kept when the state directory vanishes while the proxy runs: it serves on, changes are refused', async () => {
    proxy = await PROXY.start(settings);
    const before = await proxy.fetch(host);
    expect(before.status).toBe(200);
    const [listening] = proxy.logged('listening');
    const headers = {
      Authorization: `Bearer ${readFileSync(join(one.path, 'admin-token'), 'utf8').trim()}`,
      'Content-Type': 'application/json',
    };
    const put = () =>
      fetch(`http://${listening?.admin}/v1/services/new`, { method: 'PUT', headers, body: '{}' });
    expect((await put()).status).toBe(201);
    rmSync(one.path, { recursive: true });
    expect((await fetch(`http://${listening?.admin}/readyz`)).status).toBe(503);
    const refused = await put();
    expect([refused.status, await refused.json()]).toMatchObject([503, { type: typeOf('state-lost') }]);
    await expect
      .poll(() => proxy?.logged(`the state directory ${one.path} is gone`), { timeout: 15_000 })
      .toHaveLength(1);
    const { code, output } = await PROXY.run({ ...stranger, CLESS_STATE_DIR: one.path });
    expect([code, output]).toEqual([
      2,
      expect.stringMatching(/bound to the state directory that was at .*--take-over/s),
    ]);
    const after = await proxy.fetch(host);
    expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
    expect(await proxy.stop()).toBe(0);
    expect(await containers()).toEqual([]);
  });
});
