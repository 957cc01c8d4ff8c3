import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
beforeEach(async () => {
  host = await Host.start();
});
afterEach(() => host.close());

/** The cells of a table. */
const cells = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

function run(service: string, state: string): void {
  const id = `${service}-${state}-${'0'.repeat(12)}`;
  host.platform.running.set(id, {
    id,
    service,
    revision: 'r',
    state,
    requests: 0,
    idleMs: 0,
    lines: [],
  });
}

describe('ls', () => {
  test('lists what is registered, and what runs by convention', async () => {
    await host.deploy('web', 'web:1', '--host', 'web.example');
    await host.deploy('shop', 'web:2');
    host.platform.running.clear();
    run('web', 'ready');
    run('web', 'paused');
    run('golang', 'ready');
    expect(cells((await host.cless('ls')).out)).toEqual([
      ['NAME', 'HOSTS', 'TRAFFIC', 'INSTANCES'],
      ['shop', 'shop.*', 'shop-00001 100 %', 'cold'],
      ['web', 'web.example', 'web-00001 100 %', 'ready paused'],
      ['golang', 'golang.*', 'by convention', 'ready'],
    ]);
  });
});

describe('show', () => {
  test('shows revisions, newest first, with their traffic, tags and ages', async () => {
    await host.deploy('web', 'web:1');
    await host.deploy('web', 'web:2', '--no-traffic', '--tag', 'next', '--sticky');
    const { out } = await host.cless('show', 'web');
    expect(out).toMatch(/^web {2}web\.\*\nclients stay with their revision\n/);
    expect(cells(out).slice(-2)).toEqual([
      ['web-00002', 'ready', 'web:2', '0 %', 'next', '0 s ago'],
      ['web-00001', 'ready', 'web:1', '100 %', '0 s ago'],
    ]);
  });

  test('says why the newest one failed, and what it wrote', async () => {
    host.platform.failure = Object.assign(new Error('it exited with code 3'), { lastLogLines: ['help'] });
    await host.deploy('web');
    const { out } = await host.cless('show', 'web');
    expect(out).toMatch(/web-00001 failed: .*it exited with code 3\n {2}help\n$/);
  });

  test('of a service by convention shows its image, and why the last start failed', async () => {
    host.platform.lastStarts.set('golang', {
      service: 'golang',
      revision: `sha256:${'a'.repeat(64)}`,
      at: new Date().toISOString(),
      image: 'golang-docker',
      failure: { reason: 'START_FAILED', message: 'no such file', lastLogLines: ['exec: no'] },
    });
    const { code, out } = await host.cless('show', 'golang');
    expect(code).toBe(0);
    expect(out).toContain('golang  golang.*  by convention: image golang-docker');
    expect(out).toMatch(/cold; started last \d+ s ago, revision a{12}\n/);
    expect(out).toMatch(/the last start failed \d+ s ago: no such file\n {2}exec: no\n$/);
  });

  test('of none names the nearest', async () => {
    await host.deploy('web');
    expect(await host.cless('show', 'wep')).toMatchObject({
      code: 4,
      err: 'error: there is no service wep; did you mean web?\n',
    });
  });
});

describe('rm', () => {
  test('removes a revision that gets no traffic, and no other', async () => {
    await host.deploy('web', 'web:1');
    await host.deploy('web', 'web:2');
    expect((await host.cless('rm', 'web', 'web-00002')).code).not.toBe(0);
    expect(await host.cless('rm', 'web', 'web-00001')).toMatchObject({ out: 'web-00001 is removed\n' });
    expect((await host.cless('rm', 'web', 'web-00002', '--volumes')).code).toBe(2);
  });

  test('removes a service, and says what stays', async () => {
    host.platform.volumesOf.set('web', [{ name: 'v1', target: '/data' }]);
    await host.deploy('web');
    expect(await host.cless('rm', 'web')).toMatchObject({
      code: 0,
      out: 'web is removed\nits volumes stay: /data (v1)\ncless rm web --volumes removes them\n',
    });
    expect(host.store.count()).toBe(0);
  });

  test('with its volumes, if nobody uses them', async () => {
    for (const name of ['web', 'busy']) {
      host.platform.volumesOf.set(name, [{ name: 'v1', target: '/data' }]);
      await host.deploy(name);
    }
    expect((await host.cless('rm', 'web', '--volumes')).out).toBe(
      'web is removed, with its volumes /data (v1)\n',
    );
    expect((await host.cless('rm', 'busy', '--volumes')).out).toBe(
      'busy is removed\nstill in use, so not removed: /data (v1)\n',
    );
  });
});
