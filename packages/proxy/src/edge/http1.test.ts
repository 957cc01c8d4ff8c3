import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ForwardedRequest } from '../forward/forwarder.ts';
import { FakeEdge } from './fake-edge.ts';

let edge: FakeEdge | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await edge?.close();
});

/** An edge whose instance answers on demand. */
async function begun() {
  const waiting: (() => void)[] = [];
  const sent: ForwardedRequest[] = [];
  edge = await FakeEdge.start({
    forward: (request, settled) => {
      sent.push(request);
      waiting.push(() => {
        request.outgoing.sendHead(200, undefined, ['Content-Length', '2']);
        request.outgoing.endWith(Buffer.from('ok'));
        settled();
      });
      return { abort: () => settled() };
    },
  });
  return { edge, sent, answer: () => waiting.shift()?.() };
}

function open(port: number, bytes = ''): { socket: Socket; text: () => string; closed: Promise<unknown> } {
  const socket = connect({ port, host: '127.0.0.1' });
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(bytes);
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

const GET = 'GET /a HTTP/1.1\r\nHost: web.test\r\n\r\n';

test('what is pipelined waits for its turn, and is answered in order', async () => {
  const { edge, sent, answer } = await begun();
  const { text } = open(edge.port, GET + GET.replace('/a', '/b'));
  await expect.poll(() => sent.map(({ path }) => path)).toEqual(['/a']);
  answer();
  await expect.poll(() => sent.map(({ path }) => path)).toEqual(['/a', '/b']);
  answer();
  await expect.poll(() => text().match(/ok/g)).toHaveLength(2);
});

test('a drain lets what is under way end, takes nothing new, and closes what rests', async () => {
  const { edge, sent, answer } = await begun();
  const busy = open(edge.port, GET);
  const resting = open(edge.port, GET);
  await expect.poll(() => sent).toHaveLength(2);
  answer();
  answer();
  await expect.poll(resting.text).toContain('ok');
  busy.socket.write(GET);
  await expect.poll(() => sent).toHaveLength(3);
  const drained = edge.close(60_000);
  await resting.closed;
  answer();
  await Promise.all([busy.closed, drained]);
  expect(busy.text().match(/ok/g)).toHaveLength(2);
  const refused = open(edge.port);
  await refused.closed;
});

test('a drain that takes too long breaks off what is under way', async () => {
  const { edge, sent } = await begun();
  const { closed } = open(edge.port, GET);
  await expect.poll(() => sent).toHaveLength(1);
  await edge.close(1);
  await closed;
  await expect.poll(() => edge.accesses).toMatchObject([{ status: 499 }]);
  expect(edge.open).toBe(0);
});

test.each([
  ['garbage', '\x01\x02\r\n\r\n', 400],
  ['CONNECT', 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n', 400],
  ['another expectation', GET.replace('\r\n\r\n', '\r\nExpect: miracles\r\n\r\n'), 417],
  ['headers that are too large', GET.replace('\r\n\r\n', `\r\nX-A: ${'x'.repeat(2_000)}\r\n\r\n`), 431],
])('%s is refused, and that is the end of the connection', async (_, bytes, status) => {
  const { edge, sent } = await begun();
  const { text, closed } = open(edge.port, bytes);
  await closed;
  expect(text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(text()).toContain('Connection: close');
  expect(sent).toEqual([]);
});

test('who listens already is told by the code of the system', async () => {
  const { edge } = await begun();
  const other = new FakeEdge({});
  await expect(other.listen(edge.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
