import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
beforeEach(async () => {
  host = await Host.start();
});
afterEach(() => host.close());

test('makes the service and its first revision, which gets all traffic', async () => {
  const { code, out, err } = await host.deploy('web', 'web:1', '--host', 'web.example', '--sticky');
  expect([code, out]).toEqual([0, 'web-00001 is ready\n']);
  expect(err).toMatch(/^ +\d+\.\d\d s {2}ready after 12 ms$/m);
  expect(host.store.service('web')).toMatchObject({
    hosts: ['web.example'],
    sticky: true,
    traffic: { splits: [{ revision: 'web-00001', percent: 100 }] },
  });
});

test('a second one keeps what is the service’s, and shows what is different', async () => {
  await host.deploy('web', 'web:1', '--host', 'web.example', '--revision-header');
  const { err } = await host.deploy('web', 'web:2', '--traffic', '10', '--tag', 'next');
  expect(err).toMatch(/image/);
  expect(host.store.service('web')).toMatchObject({
    hosts: ['web.example'],
    revisionHeader: true,
    traffic: {
      splits: [
        { revision: 'web-00002', percent: 10 },
        { revision: 'web-00001', percent: 90 },
      ],
      tags: { next: 'web-00002' },
    },
  });
});

test('without traffic it gets none', async () => {
  await host.deploy('web');
  await host.deploy('web', 'web:2', '--no-traffic');
  expect(host.store.service('web')?.traffic.splits).toEqual([{ revision: 'web-00001', percent: 100 }]);
});

test('one that fails says why, and its last words', async () => {
  host.platform.failure = Object.assign(new Error('it exited with code 3'), { lastLogLines: ['no config'] });
  const { code, err } = await host.deploy('web');
  expect(code).toBe(1);
  expect(err).toMatch(/error: .*it exited with code 3/);
  expect(err).toContain('\n  no config\n');
});

test('what is wrong leaves nothing behind', async () => {
  expect(await host.cless('deploy', 'web')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--image is missing'),
  });
  expect((await host.deploy('web', 'nobody:1')).code).not.toBe(0);
  expect((await host.deploy('web', 'web:1', '--traffic', '10', '--no-traffic')).code).toBe(2);
  expect((await host.deploy('web', 'web:1', '--traffic', '101')).code).toBe(2);
  expect((await host.deploy('web', 'web:1', '--memory', 'lots')).err).toContain('--memory');
  expect(host.store.count()).toBe(0);
});

test('an image is pulled only when it is told to', async () => {
  host.platform.registry.set('far:1', { id: `sha256:${'9'.repeat(64)}`, exposedPorts: [] });
  expect((await host.deploy('web', 'far:1')).code).not.toBe(0);
  expect(await host.deploy('web', 'far:1', '--pull')).toMatchObject({
    code: 0,
    err: expect.stringContaining('layer 1: downloading'),
  });
});
