import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLane, OK, request } from './fake-lane.ts';
import { Lane } from './lane.ts';

const GET = request('GET /a');
const HALF = GET.slice(0, 20);
/** Longer than a sweep takes to come round. */
const SWEEP_MS = 1_000;

let lane: FakeLane;

beforeEach(async () => {
  lane = await FakeLane.start();
});

afterEach(async () => {
  await lane.close();
  vi.restoreAllMocks();
});

const arrived = () => [...lane.instance.received.matchAll(/(?:GET|POST) (\S+)/g)].map(([, path]) => path);

/** Answers the request that waits. */
function answer(text = OK): void {
  const waiting = lane.instance.connections.find((connection) => connection.hasRequest);
  waiting?.answer(text);
}

describe('requests of a connection', () => {
  test('go to the instance one at a time, and are answered in order', async () => {
    const client = await lane.client();
    client.send(request('GET /a') + request('POST /b', 'body') + request('GET /c'));
    for (const [i, path] of ['/a', '/b', '/c'].entries()) {
      await expect.poll(() => arrived().at(-1)).toBe(path);
      expect(client.statuses).toHaveLength(i);
      answer();
      await expect.poll(() => client.statuses).toHaveLength(i + 1);
    }
    expect(lane.instance.connections).toHaveLength(1);
    expect(lane.forwarded).toEqual([]);
  });

  test('wait in little memory: reading stops', async () => {
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    client.send(GET);
    await expect.poll(arrived).toEqual(['/a']);
    client.send(request(`GET /${'x'.repeat(50)}`).repeat(20_000));
    const [socket] = taken.mock.calls[0] ?? [];
    await expect.poll(() => socket?.isPaused()).toBe(true);
    expect(socket?.bytesRead).toBeLessThan(500_000);
  });

  test.each([
    [10, 0],
    [20, 1],
  ])('may come in %i pieces; many are for a parser that goes on where it was', async (pieces, forwarded) => {
    lane.instance.always(OK);
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    for (let i = 0; i < pieces - 1; i++) {
      client.send(GET.charAt(i));
      await expect.poll(() => taken.mock.calls[0]?.[0].bytesRead, { interval: 2 }).toBe(i + 1);
    }
    client.send(GET.slice(pieces - 1));
    await expect.poll(() => client.statuses).toEqual([200]);
    expect(lane.forwarded).toHaveLength(forwarded);
  });

  test('that comes byte by byte behind an unanswered one is not read on after a thousand pieces', async () => {
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    client.send(GET);
    await expect.poll(() => arrived()).toEqual(['/a']);
    const socket = taken.mock.calls[0]?.[0];
    for (let i = 0; i < 1_000; i++) socket?.emit('data', Buffer.from('x'));
    expect(socket?.isPaused()).toBe(false);
    socket?.emit('data', Buffer.from('x'));
    expect(socket?.isPaused()).toBe(true);
  });

  test('whose body was answered early: what follows it in the same bytes is read, too', async () => {
    const client = await lane.client();
    client.send(request('POST /a', 'body').slice(0, -2));
    await expect.poll(() => lane.instance.received).toContain('bo');
    answer();
    await expect.poll(() => client.statuses).toEqual([200]);
    client.send(`dy${request('GET /b')}`);
    await expect.poll(() => arrived().at(-1)).toBe('/b');
    answer();
    await expect.poll(() => client.statuses).toEqual([200, 200]);
  });
});

describe('a client that is silent', () => {
  test.each([
    ['before its first request', ''],
    ['within a head', HALF],
  ])('%s gets a 408', async (_, bytes) => {
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    if (bytes !== '') client.send(bytes);
    await expect.poll(() => taken.mock.calls[0]?.[0].bytesRead).toBe(bytes.length);
    await lane.clock.advance(lane.limits.headersTimeoutMs - 1);
    expect(client.text).toBe('');
    await lane.clock.advance(SWEEP_MS);
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[408], true]);
  });

  test('between requests is left, a little later than it has been told', async () => {
    lane.instance.always(OK);
    const client = await lane.client();
    client.send(GET);
    await expect.poll(() => client.statuses).toEqual([200]);
    await lane.clock.advance(lane.limits.keepAliveTimeoutMs + 900);
    expect(client.closed).toBe(false);
    await lane.clock.advance(SWEEP_MS);
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[200], true]);
  });
});

describe('a client that ends its side', () => {
  test('within a head is told so', async () => {
    const client = await lane.client();
    client.send(HALF).socket.end();
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[400], true]);
  });

  test('within a body is told so, and the instance hears no more', async () => {
    const client = await lane.client();
    client.send(request('POST /a', 'body').slice(0, -1));
    await expect.poll(() => lane.instance.received).toContain('bod');
    client.socket.end();
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[400], true]);
    expect(lane.instance.connections.map(({ socket }) => socket.destroyed)).toEqual([true]);
    expect([lane.open, lane.accesses]).toMatchObject([0, [{ status: 400 }]]);
  });

  test('behind its request gets no answer any more, as of Node', async () => {
    const client = await lane.client();
    client.send(GET);
    await expect.poll(arrived).toEqual(['/a']);
    client.socket.end();
    await expect.poll(() => [client.text, client.closed]).toEqual(['', true]);
    await expect.poll(() => lane.open).toBe(0);
  });
});

describe('a drain', () => {
  test('closes what is idle', async () => {
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    await expect.poll(() => taken.mock.calls).toHaveLength(1);
    await lane.edge.drain(60_000);
    await expect.poll(() => client.closed).toBe(true);
  });

  test('waits for what is under way, whose answer says that it is the last', async () => {
    const client = await lane.client();
    client.send(GET);
    await expect.poll(arrived).toEqual(['/a']);
    const drained = lane.edge.drain(60_000);
    answer();
    await drained;
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[200], true]);
    expect(client.text).toContain('\r\nConnection: close\r\n');
  });

  test('does not wait for the body of what has been answered', async () => {
    const client = await lane.client();
    client.send(request('POST /a', 'body').slice(0, -2));
    await expect.poll(() => lane.instance.received).toContain('bo');
    const drained = lane.edge.drain(60_000);
    answer();
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[200], true]);
    client.socket.destroy();
    await drained;
  });

  test('gives half a head a moment, in which it is refused as a whole one', async () => {
    const taken = vi.spyOn(Lane.prototype, 'take');
    const client = await lane.client();
    client.send(HALF);
    await expect.poll(() => taken.mock.calls[0]?.[0].bytesRead).toBe(HALF.length);
    const drained = lane.edge.drain(60_000);
    client.send(GET.slice(HALF.length));
    await drained;
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[503], true]);
  });
});

describe('a request that the lane leaves to the full way', () => {
  const chunked = (chunks: string) =>
    `POST /up HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;

  beforeEach(() => {
    lane.instance.script = (connection) => {
      const { received } = connection;
      if (/(?:\/a|\/b) HTTP[\s\S]*\r\n\r\n$|0\r\n\r\n$/.test(received)) connection.answer(OK);
    };
  });

  test.each([
    ['in chunks', chunked('2\r\nhi\r\n0\r\n\r\n'), [200], 1],
    ['that speaks of the connection', GET.replace('\r\n\r\n', '\r\nTE: trailers\r\n\r\n'), [200], 1],
    [
      'that may go no further',
      GET.replace('GET', 'OPTIONS').replace('\r\n\r\n', '\r\nMax-Forwards: 0\r\n\r\n'),
      [204],
      0,
    ],
  ])('%s takes it alone: the next one is for the lane again', async (_, bytes, statuses, forwarded) => {
    const client = await lane.client();
    client.send(bytes + GET);
    await expect.poll(() => client.statuses).toEqual([...statuses, 200]);
    client.send(GET);
    await expect.poll(() => client.statuses).toEqual([...statuses, 200, 200]);
    expect(lane.forwarded).toHaveLength(forwarded);
  });

  test('with chunks that are not plain keeps the connection, and half of the next request is not lost', async () => {
    const client = await lane.client();
    client.send(chunked(`2;a=b\r\nhi\r\n0\r\n\r\n${HALF}`));
    await expect.poll(() => client.statuses).toEqual([200]);
    client.send(GET.slice(HALF.length));
    await expect.poll(() => client.statuses).toEqual([200, 200]);
    expect(lane.forwarded).toEqual(['whole', 'whole']);
  });

  test.each([
    ['HTTP/1.0', GET.replace('HTTP/1.1', 'HTTP/1.0')],
    ['the last', GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
  ])('for good, since it is %s, is the last', async (_, bytes) => {
    const client = await lane.client();
    client.send(GET);
    await expect.poll(() => client.statuses).toEqual([200]);
    client.send(bytes);
    await expect.poll(() => [client.statuses, client.closed]).toEqual([[200, 200], true]);
    expect(lane.forwarded).toEqual(['whole']);
  });

  test('since no instance is ready waits for one', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    lane.start = promise;
    const client = await lane.client();
    client.send(GET);
    await expect.poll(() => lane.waited).toBe(1);
    lane.start = undefined;
    resolve();
    client.send(request('GET /b'));
    await expect.poll(() => client.statuses).toEqual([200, 200]);
    expect([lane.forwarded, lane.open]).toEqual([['whole'], 0]);
  });
});
