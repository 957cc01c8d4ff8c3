import { once } from 'node:events';
import { RawUpstream } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InstanceConnection, User } from './instance-connection.ts';
import { InstancePool } from './instance-pool.ts';

let instance: RawUpstream;
let pool: InstancePool;

beforeEach(async () => {
  instance = await RawUpstream.listen();
  pool = new InstancePool(instance.endpoint);
});

afterEach(() => {
  pool.destroy(new Error('the test is over'));
  instance.close();
});

/** Tells what its connection tells. */
class FakeUser implements User {
  readonly told: unknown[] = [];
  readonly isConnected = Promise.withResolvers<void>();
  readonly isGone = Promise.withResolvers<void>();

  connected(): void {
    this.isConnected.resolve();
  }
  received(bytes: Buffer): boolean {
    this.told.push(bytes.toString());
    return true;
  }
  drained(): void {}
  finished(): void {
    this.told.push('finished');
  }
  gone(error: Error | undefined): void {
    this.told.push(error?.message);
    this.isGone.resolve();
  }
}

/** A connection in use. */
async function take(nowMs = 0) {
  const connection = pool.take(nowMs);
  const user = new FakeUser();
  connection.use(user);
  if (!connection.isConnected) await user.isConnected.promise;
  return { connection, user };
}

const isOpen = ({ isConnected }: InstanceConnection, i: number) =>
  isConnected && instance.connections[i]?.socket.destroyed === false;

test('the connection that came back last is taken first, so that surplus ones grow old', async () => {
  const [one, other] = [(await take()).connection, (await take()).connection];
  pool.give(one, 0, -1);
  pool.give(other, 1, -1);
  expect(pool.take(2)).toBe(other);
  expect(pool.take(2)).toBe(one);
  expect([one.used, other.used]).toEqual([true, true]);
});

test.each([
  ['does not say', -1, 4_000],
  ['keeps them long', 60, 4_000],
  ['keeps them for a short time', 3, 2_000],
])('a free connection to an instance that %s is used and kept for so long', async (_, told, keptMs) => {
  const { connection } = await take();
  pool.give(connection, 0, told);
  expect(pool.take(keptMs - 1)).toBe(connection);
  pool.give(connection, 0, told);
  expect(pool.take(keptMs)).not.toBe(connection);
  await expect.poll(() => instance.connections[0]?.socket.destroyed).toBe(true);
});

test('one that the instance does not keep is closed', async () => {
  const { connection } = await take();
  pool.give(connection, 0, 1);
  await expect.poll(() => pool.isEmpty).toBe(true);
});

test('a sweep closes what has been free for long, and nothing else', async () => {
  const [old, young, busy] = [await take(), await take(), await take()];
  pool.give(old.connection, 0, -1);
  pool.give(young.connection, 1, -1);
  pool.sweep(4_000);
  await expect
    .poll(() => instance.connections.map(({ socket }) => socket.destroyed))
    .toEqual([true, false, false]);
  expect(pool.take(4_000)).toBe(young.connection);
  expect(isOpen(busy.connection, 2)).toBe(true);
});

test('bytes that nobody has asked for end a free connection: they might be taken for an answer', async () => {
  const { connection, user } = await take();
  pool.give(connection, 0, -1);
  instance.connections[0]?.socket.write('HTTP/1.1 200 OK\r\n\r\n');
  await expect.poll(() => pool.isEmpty).toBe(true);
  expect(pool.take(1)).not.toBe(connection);
  expect(user.told).toEqual([]);
});

test('a free connection that the instance ends is not used again', async () => {
  const { connection } = await take();
  pool.give(connection, 0, -1);
  instance.connections[0]?.socket.end();
  await expect.poll(() => pool.isEmpty).toBe(true);
  expect(pool.take(1)).not.toBe(connection);
});

test('closing waits for what is under way, and keeps nothing', async () => {
  const [free, busy] = [await take(), await take()];
  pool.give(free.connection, 0, -1);
  let isClosed = false;
  const closed = pool.close().then(() => {
    isClosed = true;
  });
  await expect.poll(() => instance.connections[0]?.socket.destroyed).toBe(true);
  expect(isClosed).toBe(false);
  pool.give(busy.connection, 0, -1);
  await closed;
  expect(pool.isEmpty).toBe(true);
});

test('without connections it is closed at once', async () => {
  await pool.close();
});

test('destroying tells those under way why', async () => {
  const [free, { user }] = [await take(), await take()];
  pool.give(free.connection, 0, -1);
  pool.destroy(new Error('the instance has been stopped'));
  await user.isGone.promise;
  expect(user.told).toEqual(['the instance has been stopped']);
  await expect.poll(() => pool.isEmpty).toBe(true);
});

test('a connection tells its user what it is told, and nobody once it is ended', async () => {
  const { connection, user } = await take();
  connection.writeHead('caf\xe9');
  expect(connection.answered).toBe(false);
  await expect.poll(() => instance.received).toBe('caf\xe9');
  const [raw] = instance.connections;
  raw?.socket.write('one');
  await expect.poll(() => user.told).toEqual(['one']);
  expect(connection.answered).toBe(true);
  const other = new FakeUser();
  connection.free();
  connection.use(other);
  expect(connection.answered).toBe(false);
  raw?.socket.end('two');
  await other.isGone.promise;
  expect([user.told, other.told]).toEqual([['one'], ['two', 'finished', undefined]]);
});

test('of what is destroyed by its user, that hears no more', async () => {
  const { connection, user } = await take();
  const [raw] = instance.connections;
  connection.destroy();
  if (raw !== undefined) await once(raw.socket, 'close');
  expect(user.told).toEqual([]);
});

test('a free connection that has just broken is not given away, though its end has not been told yet', async () => {
  const { connection } = await take();
  pool.give(connection, 0, -1);
  connection.breakOff(new Error('reset'));
  expect(pool.take(0)).not.toBe(connection);
});
