import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { waitUntilReady } from './readiness.ts';

test('what is silent until the timeout is told as that, whatever was before', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}).resume());
    if (sockets.length === 1) socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const waiting = waitUntilReady({ host: '127.0.0.1', port }, { timeoutMs: 1_200 });
  await expect(waiting).rejects.toMatchObject({ cause: { message: 'no answer' } });
  expect(sockets).toHaveLength(2);
  for (const socket of sockets) socket.destroy();
  server.close();
});
