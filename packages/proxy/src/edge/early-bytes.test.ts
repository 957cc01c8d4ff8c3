import { PassThrough } from 'node:stream';
import { settle } from '@cless/testkit';
import { expect, test } from 'vitest';
import { EarlyBytes } from './early-bytes.ts';

test('what came with the request and after it is there for whoever takes it', async () => {
  const socket = new PassThrough();
  const early = new EarlyBytes(socket, Buffer.from('a'));
  socket.write('b');
  socket.write('c');
  await settle();
  expect(early.take().toString()).toBe('abc');
  socket.write('d');
  await settle();
  expect(socket.read()?.toString()).toBe('d');
});

test('only so much is kept; the rest waits with the client', async () => {
  const socket = new PassThrough();
  const early = new EarlyBytes(socket, Buffer.alloc(0));
  const chunk = Buffer.alloc(40 * 1024);
  for (let i = 0; i < 3; i++) socket.write(chunk);
  await settle();
  expect([socket.isPaused(), early.take().length]).toEqual([true, 2 * chunk.length]);
});

test('a client that ends its side meanwhile has left', async () => {
  const socket = new PassThrough();
  new EarlyBytes(socket, Buffer.alloc(0));
  socket.end();
  await settle();
  expect(socket.destroyed).toBe(true);
});

test('one that ends it afterwards is for whoever took it', async () => {
  const socket = new PassThrough({ autoDestroy: false });
  new EarlyBytes(socket, Buffer.alloc(0)).take();
  socket.end();
  await settle();
  expect(socket.destroyed).toBe(false);
});
