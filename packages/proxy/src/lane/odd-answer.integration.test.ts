import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeLane, OK, request } from './fake-lane.ts';

/** Answers that the lane leaves to undici, which may be read in more than one way. */
const ODD = 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n';

let lane: FakeLane;

beforeEach(async () => {
  lane = await FakeLane.start();
});

afterEach(() => lane.close());

const instance = () => lane.instance.connections.at(-1);

/** A client whose request has reached the instance. */
async function sent(bytes: string) {
  const client = await lane.client();
  client.send(bytes);
  await expect.poll(() => lane.instance.received.endsWith(bytes.slice(-2))).toBe(true);
  return client;
}

test.each([
  ['at once', [`${ODD}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`]],
  ['in pieces', [ODD.slice(0, 30), ODD.slice(30), '5\r\nhello', '\r\n0\r\nX-Su', 'm: 1\r\n\r\n']],
])('it is read to its end, %s, on the connection on which it comes', async (_, pieces) => {
  const client = await sent(request('GET /a'));
  for (const piece of pieces) {
    instance()?.socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await expect.poll(() => client.text).toMatch(/hello[\s\S]*\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  expect(client.text).toContain('\r\nTrailer: X-Sum\r\n');
  expect([lane.forwarded, lane.instance.connections.length, lane.open]).toEqual([['begun'], 1, 0]);
  expect(lane.accesses).toMatchObject([{ status: 200, error: undefined }]);
  expect((await lane.edge.read()).services).toMatchObject([['web', 0, [0, 0, 1, 0, 0, 0]]]);
});

test('its connection ends with it, and the next request has another one, on the lane', async () => {
  const client = await sent(request('GET /a'));
  instance()?.answer(`${ODD}0\r\n\r\n`);
  await expect.poll(() => client.statuses).toEqual([200]);
  await expect.poll(() => instance()?.socket.destroyed).toBe(true);
  client.send(request('GET /b'));
  await expect.poll(() => lane.instance.connections).toHaveLength(2);
  instance()?.answer(OK);
  await expect.poll(() => client.statuses).toEqual([200, 200]);
  expect(lane.forwarded).toEqual(['begun']);
});

test('one that ends with the connection, which has ended already', async () => {
  const client = await sent(request('GET /a'));
  instance()?.socket.end('HTTP/1.1 200 caf\xe9\r\n\r\nall of it', 'latin1');
  await expect.poll(() => client.text).toMatch(/all of it\r\n0\r\n\r\n$/);
});

test('the rest of the body goes to the instance, and its head not again', async () => {
  const client = await sent(request('POST /a', 'a long body').slice(0, -5));
  instance()?.answer(`${ODD}5\r\nfirst\r\n`);
  await expect.poll(() => client.text).toContain('first');
  client.send(' body');
  await expect.poll(() => lane.instance.received).toMatch(/\r\n\r\na long body$/);
  instance()?.socket.write('6\r\nsecond\r\n0\r\n\r\n');
  await expect.poll(() => client.text).toMatch(/second\r\n0\r\n\r\n$/);
  expect(lane.instance.received.match(/POST/g)).toHaveLength(1);
});

test('one that nobody can read is a 502, and the instance is examined', async () => {
  const client = await sent(request('GET /a'));
  instance()?.answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello');
  await expect.poll(() => client.statuses).toEqual([502]);
  await expect.poll(() => instance()?.socket.destroyed).toBe(true);
  expect(lane.open).toBe(0);
});

test('a client that leaves in the midst of it', async () => {
  const client = await sent(request('GET /a'));
  instance()?.answer(`${ODD}5\r\nfirst\r\n`);
  await expect.poll(() => client.text).toContain('first');
  client.socket.destroy();
  await expect.poll(() => instance()?.socket.destroyed).toBe(true);
  expect(lane.accesses).toMatchObject([{ status: 200, error: { message: 'broken off' } }]);
  expect(lane.open).toBe(0);
});

test('a client that has left already', async () => {
  const client = await sent(request('GET /a'));
  client.socket.resetAndDestroy();
  instance()?.answer(`${ODD}5\r\nfirst\r\n`);
  await expect.poll(() => instance()?.socket.destroyed).toBe(true);
  await expect.poll(() => [lane.open, lane.accesses.length]).toEqual([0, 1]);
});
