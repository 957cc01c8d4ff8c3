import { MemoryStore } from '@cless/store';
import { FakePlatform } from '@cless/testkit';
import { expect, test, vi } from 'vitest';
import { AdminServer } from './server.ts';

const created = vi.hoisted(() => ({ count: 0, failing: 1 }));

vi.mock('./app.ts', async (original) => {
  const { createApp } = await original<typeof import('./app.ts')>();
  return {
    createApp: (...args: Parameters<typeof createApp>) => {
      created.count += 1;
      if (created.count <= created.failing) throw new Error('no such file');
      return createApp(...args);
    },
  };
});

test('the app is loaded at the first request; if that fails it is told, and the next request tries again', async () => {
  const failures: unknown[] = [];
  const server = await AdminServer.start({
    store: new MemoryStore(),
    platform: new FakePlatform(),
    token: 'a-token-for-tests',
    openMetrics: false,
    listen: { host: '127.0.0.1', port: 0 },
    onError: (error) => failures.push(error),
  });
  const ask = async () => (await fetch(`http://127.0.0.1:${server.address.port}/healthz`)).status;
  expect(created.count).toBe(0);
  expect(await ask()).toBe(500);
  expect(failures).toEqual([new Error('no such file')]);
  expect([await ask(), await ask()]).toEqual([200, 200]);
  expect(created.count).toBe(2);
  await server.close();
});
