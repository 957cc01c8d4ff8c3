import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FakeEdge } from '../edge/fake-edge.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import type { ForwardError, ForwardedUpgrade } from '../forward/forwarder.ts';

let edge: FakeEdge | undefined;
afterEach(() => edge?.close());

/** Sends an upgrade through an edge whose forwarder behaves as given. Returns the outcome. */
async function upgrade(tries: ((upgrade: ForwardedUpgrade) => Promise<number>)[]) {
  edge = await FakeEdge.start({
    upgrade: (forwarded) => tries.shift()?.(forwarded) ?? Promise.reject(new Error('one try too many')),
  });
  const { accesses } = edge;
  const socket = connect(edge.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
  const [first] = await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => accesses).toHaveLength(1);
  const { examined, open } = edge;
  return { answer: String(first), status: accesses[0]?.status, examined, open, left: tries.length };
}

const fails = (reached: ForwardError['reached']) => () =>
  Promise.reject(new UpstreamError('UPSTREAM_DISCONNECTED', reached, new Error('gone')));
const answers =
  (status: number) =>
  async ({ offer }: ForwardedUpgrade) => {
    if (status === 101) {
      offer.accept([]);
      offer.stream.end();
    } else {
      offer.outgoing.sendHead(status, undefined, ['Content-Length', '0']);
      offer.outgoing.end();
    }
    return status;
  };

test('what was never sent is sent again, and the instance examined', async () => {
  const { answer, examined, open } = await upgrade([fails('unsent'), fails('unsent'), answers(101)]);
  expect([answer.split('\r\n')[0], examined, open]).toEqual(['HTTP/1.1 101 Switching Protocols', 2, 0]);
});

test('what the relay of a dead app has closed is sent again, once', async () => {
  const { status, examined, left } = await upgrade([fails('closed'), fails('closed'), answers(101)]);
  expect([status, examined, left]).toEqual([502, 2, 1]);
});

test('what was sent is not', async () => {
  const { status, examined, left } = await upgrade([fails('sent'), answers(101)]);
  expect([status, examined, left]).toEqual([502, 1, 1]);
});

test.each([101, 403, 500])('it is counted as what it was answered with: %i', async (status) => {
  expect((await upgrade([answers(status)])).status).toBe(status);
});

test('whatever the forwarder throws is an answer', async () => {
  const { status, open } = await upgrade([
    () => {
      throw new TypeError('a bug');
    },
  ]);
  expect([status, open]).toEqual([500, 0]);
});

test.each(['closed', 'sent', 'unsent'] as const)(
  'a client that leaves says nothing of the instance, which is not examined: %s',
  async (reached) => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    let tries = 0;
    edge = await FakeEdge.start({
      // As the real one, settles when the connection ends.
      upgrade: async ({ offer }) => {
        tries += 1;
        arrive();
        await once(offer.stream, 'close');
        throw new UpstreamError('UPSTREAM_DISCONNECTED', reached, new Error('the client left'));
      },
    });
    const socket = connect(edge.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
    await arrived;
    socket.destroy();
    const { accesses } = edge;
    await expect.poll(() => accesses).toHaveLength(1);
    expect([accesses[0]?.status, tries, edge.examined, edge.open]).toEqual([499, 1, 0, 0]);
  },
);
