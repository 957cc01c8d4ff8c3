import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FakeEdge } from '../edge/fake-edge.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import type { ForwardError, ForwardedRequest, Forwarding } from '../forward/forwarder.ts';
import { HttpProxy3Forwarder } from '../forward/http-proxy-3.ts';
import { UndiciForwarder } from '../forward/undici.ts';

let edge: FakeEdge | undefined;
afterEach(() => edge?.close());

type Try = (request: ForwardedRequest, settled: (error?: ForwardError) => void) => void;

const answers: Try = ({ outgoing }, settled) => {
  outgoing.sendHead(200, undefined, ['Content-Length', '0']);
  outgoing.end();
  settled();
};
const fails =
  (reached: ForwardError['reached'], code: ForwardError['code'] = 'UPSTREAM_DISCONNECTED'): Try =>
  (_, settled) =>
    settled(new UpstreamError(code, reached, new Error('gone')));

const forwarding: Forwarding = { abort: () => {} };

/** An edge whose forwarder does as it is told, once for each try. */
async function edgeThat(...tries: Try[]): Promise<FakeEdge> {
  edge = await FakeEdge.start({
    forward: (request, settled) => {
      const next = tries.shift();
      if (next === undefined) throw new Error('one try too many');
      next(request, settled);
      return forwarding;
    },
  });
  return edge;
}

async function statusOf(port: number, request = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n') {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  const [first] = await once(socket, 'data');
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(first))?.[1]);
}

const POST = 'POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 0\r\n\r\n';
const PUT = 'PUT / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4\r\n\r\nbody';

test.each([
  ['never sent', undefined, [fails('unsent'), fails('unsent'), fails('unsent'), answers], 200],
  ['never sent, a POST', POST, [fails('unsent'), answers], 200],
  ['never sent, with a body of which nothing was taken', PUT, [fails('unsent'), answers], 200],
  ['never sent, too often', undefined, Array.from({ length: 4 }, () => fails('unsent')), 502],
  ['stale', undefined, [fails('stale'), answers], 200],
  ['stale, twice', undefined, [fails('stale'), fails('stale')], 502],
  ['stale, a POST', POST, [fails('stale')], 502],
  ['stale, with a body', PUT, [fails('stale')], 502],
  ['closed', undefined, [fails('closed'), answers], 200],
  ['closed, twice', undefined, [fails('closed'), fails('closed')], 502],
  ['closed, a POST', POST, [fails('closed')], 502],
  ['closed, with a body', PUT, [fails('closed')], 502],
  ['sent', undefined, [fails('sent')], 502],
  ['too slow', undefined, [fails('sent', 'UPSTREAM_TIMEOUT')], 504],
])('what failed is sent again, or not: %s', async (_, request, tries, status) => {
  const { port } = await edgeThat(...tries);
  expect(await statusOf(port, request)).toBe(status);
});

test.each([UndiciForwarder, HttpProxy3Forwarder])(
  '%o: where nobody listens nothing is sent, so that a POST may be sent again',
  async (Forwarder) => {
    const forwarder = new Forwarder({ responseTimeoutMs: 1_000 });
    edge = await FakeEdge.start({ forward: (...sent) => forwarder.forward(...sent) });
    expect(await statusOf(edge.port, POST)).toBe(502);
    expect(edge.examined).toBe(4);
  },
);

test('retries are bounded in total', async () => {
  let sent = 0;
  edge = await FakeEdge.start({
    forward: (...request) => {
      sent += 1;
      fails('closed')(...request);
      return forwarding;
    },
  });
  for (let i = 0; i < 100; i++) expect(await statusOf(edge.port)).toBe(502);
  expect(sent).toBeGreaterThan(110);
  expect(sent).toBeLessThan(125);
});

test('an instance is not blamed for file descriptors that we lack', async () => {
  const { port } = await edgeThat(fails('unsent', 'NO_FREE_SOCKET'));
  expect(await statusOf(port)).toBe(503);
  expect(edge?.examined).toBe(0);
});

test('a client that leaves during the start is not sent to the instance', async () => {
  const { port } = await edgeThat();
  const { promise, resolve } = Promise.withResolvers<void>();
  if (edge) edge.start = promise;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await expect.poll(() => edge?.waited).toBe(1);
  socket.destroy();
  await expect.poll(() => edge?.accesses).toMatchObject([{ status: 499 }]);
  resolve();
  await expect.poll(() => edge?.open).toBe(0);
});

test('nor one that leaves while the instance is examined for another try', async () => {
  let again = 0;
  const { port } = await edgeThat(fails('unsent'), (_, settled) => {
    again += 1;
    settled();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  if (edge) edge.examination = promise;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await expect.poll(() => edge?.examined).toBe(1);
  socket.destroy();
  await expect.poll(() => edge?.accesses).toMatchObject([{ status: 499 }]);
  resolve();
  await new Promise((after) => setImmediate(after));
  expect([edge?.open, again]).toEqual([0, 0]);
});

test.each([
  ['1.0', 'ECONNRESET'],
  ['1.1', undefined],
])('the end of a drain is a broken answer for HTTP/%s', async (version, code) => {
  const { port, close } = await edgeThat(({ outgoing }) => {
    outgoing.sendHead(200, undefined, []);
    outgoing.write(Buffer.from('half'));
  });
  const socket = connect(port, '127.0.0.1');
  let failure: NodeJS.ErrnoException | undefined;
  let text = '';
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`GET / HTTP/${version}\r\nHost: web.test\r\n\r\n`);
  await expect.poll(() => text).toContain('half');
  const closed = once(socket, 'close').catch(() => {});
  await close.call(edge, 10);
  await closed;
  expect([failure?.code, text.endsWith('0\r\n\r\n')]).toEqual([code, false]);
});
