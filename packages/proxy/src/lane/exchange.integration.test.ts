import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeLane, OK, request } from './fake-lane.ts';

const GET = request('GET /a');
const POST = request('POST /a', 'body');
const HEAD_OF_10 = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
/** Longer than a sweep takes to come round. */
const SWEEP_MS = 1_000;
const RESPONSE_TIMEOUT_MS = 5_000;
/** More than all buffers on the way hold together. */
const LARGE = 30 * 1024 * 1024;

let lane: FakeLane;

beforeEach(async () => {
  lane = await FakeLane.start({ responseTimeoutMs: RESPONSE_TIMEOUT_MS });
});

afterEach(() => lane.close());

const instances = () => lane.instance.connections;
const ended = () => lane.accesses.map(({ status }) => status);

/** A client whose request has reached the instance. */
async function sent(bytes: string) {
  const client = await lane.client();
  const before = instances().length;
  client.send(bytes);
  await expect.poll(() => instances().length).toBe(before + 1);
  const instance = instances().at(-1);
  if (instance === undefined) throw new Error('there is no connection');
  const body = bytes.slice(bytes.indexOf('\r\n\r\n') + 4);
  await expect.poll(() => instance.received.endsWith(`\r\n\r\n${body}`)).toBe(true);
  return { client, instance };
}

/** Makes a connection that can be used again. */
async function warm(): Promise<void> {
  const { client, instance } = await sent(GET);
  instance.answer(OK);
  await expect.poll(() => client.statuses).toEqual([200]);
  client.socket.destroy();
}

describe('an answer', () => {
  test('that ends with the connection may begin with nothing but its head', async () => {
    const { client, instance } = await sent(GET);
    instance.answer('HTTP/1.1 200 OK\r\n\r\n');
    await expect.poll(() => client.text).toMatch(/\r\n\r\n$/);
    instance.socket.end('all');
    await expect.poll(() => client.text).toMatch(/\r\n\r\n3\r\nall\r\n0\r\n\r\n$/);
    expect(ended()).toEqual([200]);
  });

  test('that comes before the body has, and a client that goes on: its connection can be used', async () => {
    const { client, instance } = await sent(POST.slice(0, -2));
    instance.answer(OK);
    await expect.poll(() => client.statuses).toEqual([200]);
    expect([lane.open, ended()]).toEqual([0, [200]]);
    await expect.poll(() => instance.socket.destroyed).toBe(true);
    client.send(`dy${GET}`);
    await expect.poll(instances).toHaveLength(2);
    instances()[1]?.answer(OK);
    await expect.poll(() => client.statuses).toEqual([200, 200]);
  });

  test('that comes while the instance reads nothing more lets the client send the rest', {
    timeout: 20_000,
  }, async () => {
    const { client, instance } = await sent(
      request('POST /a', 'x').replace('Length: 1', `Length: ${LARGE + 1}`),
    );
    instance.socket.pause();
    client.socket.write(Buffer.alloc(LARGE, 'x'));
    await expect.poll(() => client.socket.writableLength).toBeGreaterThan(0);
    instance.answer(OK);
    await expect.poll(() => client.statuses).toEqual([200]);
    await expect.poll(() => client.socket.writableLength).toBe(0);
    client.send(GET);
    await expect.poll(instances).toHaveLength(2);
  });

  test('is not read faster than its client reads', async () => {
    const { client, instance } = await sent(GET);
    client.socket.pause();
    instance.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n${'x'.repeat(LARGE)}`);
    await expect.poll(() => client.socket.readableLength).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(instance.socket.writableLength).toBeGreaterThan(LARGE / 2);
    client.socket.resume();
    await expect.poll(() => client.text.length).toBeGreaterThan(LARGE);
    await expect.poll(ended).toEqual([200]);
  });

  test('with more bytes behind it is whole, but its connection is not used again', async () => {
    const { client, instance } = await sent(GET);
    instance.answer(`${OK}HTTP/1.1 200 OK\r\n\r\n`);
    await expect.poll(() => client.text).toMatch(/ok$/);
    await expect.poll(() => instance.socket.destroyed).toBe(true);
    client.send(GET);
    await expect.poll(instances).toHaveLength(2);
  });

  test('after informational ones is the answer', async () => {
    const { client, instance } = await sent(GET);
    instance.answer('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
    await expect.poll(() => client.text).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
    instance.answer(OK);
    await expect.poll(() => client.statuses).toEqual([103, 200]);
    expect(lane.forwarded).toEqual([]);
  });
});

describe('a client that leaves', () => {
  test.each([
    ['before the answer', GET, '', 499],
    ['within its body', POST.slice(0, -2), '', 499],
    ['within the head of the answer', GET, HEAD_OF_10.slice(0, 20), 499],
    ['within the body of the answer', GET, `${HEAD_OF_10}12345`, 200],
  ])('%s is let go, and so is the instance', async (_, bytes, answer, status) => {
    const { client, instance } = await sent(bytes);
    if (answer !== '') instance.answer(answer);
    if (status === 200) await expect.poll(() => client.text).toMatch(/12345$/);
    client.socket.resetAndDestroy();
    await expect.poll(() => lane.accesses).toMatchObject([{ status, error: { message: 'broken off' } }]);
    await expect.poll(() => instance.socket.destroyed).toBe(true);
    expect(lane.open).toBe(0);
    expect((await lane.edge.read()).services).toMatchObject([['web', 0, expect.anything()]]);
  });

  test('after an early answer has had it', async () => {
    const { client, instance } = await sent(POST.slice(0, -2));
    instance.answer(OK);
    await expect.poll(() => client.statuses).toEqual([200]);
    client.socket.destroy();
    await expect.poll(() => lane.accesses).toMatchObject([{ status: 200, error: undefined }]);
  });
});

describe('an instance that leaves', () => {
  test.each([
    ['a GET', GET],
    ['a POST', request('POST /a', '')],
    ['a POST with a body', POST],
    ['a POST of which half has come', POST.slice(0, -2)],
  ])('before it was connected: %s is sent again, for nothing of it has been', async (_, bytes) => {
    const { endpoint } = lane;
    lane.endpoint = { host: '127.0.0.1', port: 1 };
    const { promise, resolve } = Promise.withResolvers<void>();
    lane.examination = promise;
    const client = await lane.client();
    client.send(bytes);
    await expect.poll(() => lane.examined).toBe(1);
    lane.endpoint = endpoint;
    lane.edge.destroy('a', new Error('it has moved'));
    resolve();
    lane.instance.script = (connection) => {
      if (connection.received.endsWith(bytes === GET ? '\r\n\r\n' : bytes.endsWith('y') ? 'body' : ''))
        connection.answer(OK);
    };
    if (bytes.endsWith('bo')) client.send('dy');
    await expect.poll(() => client.statuses).toEqual([200]);
    expect([lane.forwarded, ended()]).toEqual([['whole'], [200]]);
  });

  test.each([
    ['a GET', GET, 200],
    ['a POST', request('POST /a', ''), 502],
    ['a PUT with a body', POST.replace('POST', 'PUT'), 502],
  ])('a connection that was used before: %s is %s sent again if that is safe', async (_, bytes, status) => {
    await warm();
    const client = await lane.client();
    client.send(bytes);
    await expect.poll(() => instances()[0]?.received.includes(bytes.slice(-4))).toBe(true);
    await expect.poll(() => instances()[0]?.received.split('X-Request-Id').length).toBe(3);
    instances()[0]?.socket.end();
    lane.instance.always(OK);
    await expect.poll(() => client.statuses).toEqual([status]);
    expect(lane.examined).toBe(1);
  });

  test('in front of an answer, for a closed port of its engine: a GET is sent again, once', async () => {
    const { client, instance } = await sent(GET);
    instance.socket.resetAndDestroy();
    await expect.poll(instances).toHaveLength(2);
    instances()[1]?.socket.resetAndDestroy();
    await expect.poll(() => client.statuses).toEqual([502]);
    expect([instances().length, ended(), lane.open]).toEqual([2, [502], 0]);
  });

  test('within a head: nobody knows what it did, so that nothing is sent again', async () => {
    const { client, instance } = await sent(GET);
    instance.answer('HTTP/1.1 200 OK\r\nX-');
    instance.socket.end();
    await expect.poll(() => client.statuses).toEqual([502]);
    expect(instances()).toHaveLength(1);
  });

  test.each([
    ['of known length', `${HEAD_OF_10}12345`],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n'],
  ])('within a body %s: the client is told by the end of its connection', async (_, answer) => {
    const { client, instance } = await sent(GET);
    instance.answer(answer);
    await expect.poll(() => client.text).toContain('12345');
    instance.socket.end();
    await expect.poll(() => client.closed).toBe(true);
    expect(client.text).not.toMatch(/0\r\n\r\n$/);
    expect([ended(), lane.examined, lane.open]).toEqual([[200], 1, 0]);
  });

  test('within a body that ends with the connection, by a reset: the same', async () => {
    const { client, instance } = await sent(GET);
    instance.answer('HTTP/1.1 200 OK\r\n\r\n12345');
    await expect.poll(() => client.text).toContain('12345');
    instance.socket.resetAndDestroy();
    await expect.poll(() => client.closed).toBe(true);
    expect(client.text).not.toMatch(/0\r\n\r\n$/);
  });
});

describe('time', () => {
  test('for an answer: looked at at each sweep', async () => {
    const { client } = await sent(GET);
    await lane.clock.advance(RESPONSE_TIMEOUT_MS - 1);
    expect(client.text).toBe('');
    await lane.clock.advance(SWEEP_MS);
    await expect.poll(() => client.statuses).toEqual([504]);
    await expect.poll(() => [ended(), lane.open]).toEqual([[504], 0]);
  });

  test('for an answer, if it is short: to the millisecond', async () => {
    await lane.close();
    lane = await FakeLane.start({ responseTimeoutMs: 50 });
    const { client } = await sent(GET);
    await lane.clock.advance(49);
    expect(client.text).toBe('');
    await lane.clock.advance(1);
    await expect.poll(() => client.statuses).toEqual([504]);
  });

  test('for an answer begins with the end of the request', async () => {
    await lane.close();
    lane = await FakeLane.start({ responseTimeoutMs: 50 });
    const { client, instance } = await sent(POST.slice(0, -2));
    await lane.clock.advance(200);
    client.send('dy');
    await expect.poll(() => instance.received).toMatch(/body$/);
    await lane.clock.advance(49);
    expect(client.text).toBe('');
    await lane.clock.advance(50);
    await expect.poll(() => client.statuses).toEqual([504]);
  });

  test('for an answer does not begin anew with informational ones', async () => {
    const { client, instance } = await sent(GET);
    await lane.clock.advance(RESPONSE_TIMEOUT_MS - 1);
    instance.answer('HTTP/1.1 102 Processing\r\n\r\n');
    await lane.clock.advance(SWEEP_MS);
    await expect.poll(() => client.statuses).toEqual([504]);
  });

  test('for the body of a request: 408', async () => {
    const { client, instance } = await sent(POST.slice(0, -2));
    await lane.clock.advance(lane.limits.bodyTimeoutMs + 2 * SWEEP_MS);
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[408], true]);
    await expect.poll(() => instance.socket.destroyed).toBe(true);
    expect([ended(), lane.open]).toEqual([[408], 0]);
  });

  test('in which nothing moves in an answer: it is broken off', async () => {
    const { client, instance } = await sent(GET);
    instance.answer(`${HEAD_OF_10}12345`);
    await expect.poll(() => client.text).toMatch(/12345$/);
    await lane.clock.advance(lane.limits.idleTimeoutMs + 2 * SWEEP_MS);
    await expect.poll(() => client.closed).toBe(true);
    await expect.poll(() => instance.socket.destroyed).toBe(true);
    expect([ended(), lane.examined]).toEqual([[200], 0]);
  });

  test('has no end for an event stream', async () => {
    const { client, instance } = await sent(GET);
    instance.answer(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    await expect.poll(() => client.statuses).toEqual([200]);
    await lane.clock.advance(100 * lane.limits.idleTimeoutMs);
    instance.socket.write('2\r\nhi\r\n');
    await expect.poll(() => client.text).toMatch(/hi/);
  });
});
