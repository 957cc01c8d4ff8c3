import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { untilConnected } from './connected.ts';

const { signal } = new AbortController();
let server: ReturnType<typeof createServer>;
afterEach(() => server.close());

/** A server that handles its first connection, its second, and so on, as given. */
async function listen(...each: ((socket: Socket) => unknown)[]): Promise<{ host: string; port: number }> {
  let count = 0;
  server = createServer((socket) => {
    socket.on('error', () => {});
    (each[count] ?? each.at(-1))?.(socket);
    count += 1;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('a connection that is closed at once, or reset, does not count, one that says something does', async () => {
  let asked = 0;
  const endpoint = await listen(
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
    (socket) => {
      asked += 1;
      socket.write('220 ready\r\n');
    },
  );
  await untilConnected(endpoint, { timeoutMs: 10_000, signal });
  expect(asked).toBe(1);
});

test('one that stays open counts', async () => {
  await untilConnected(await listen((socket) => socket.resume()), { timeoutMs: 10_000, signal });
});

test('what takes none in time is told, and the signal ends the wait', async () => {
  const endpoint = await listen((socket) => socket.destroy());
  await expect(untilConnected(endpoint, { timeoutMs: 10, signal })).rejects.toThrow(
    'no connection within 10 ms',
  );
  const reason = new Error('enough');
  const aborted = { timeoutMs: 10_000, signal: AbortSignal.abort(reason) };
  await expect(untilConnected(endpoint, aborted)).rejects.toBe(reason);
});
