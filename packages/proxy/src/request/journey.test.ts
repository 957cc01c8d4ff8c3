import { once } from 'node:events';
import { connect } from 'node:net';
import { Failure } from '@cless/model';
import { settle } from '@cless/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeEdge } from '../edge/fake-edge.ts';
import { FakeIncoming, FakeOutgoing } from '../exchange/fake-exchange.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import type { ForwardError, ForwardedRequest, Forwarding } from '../forward/forwarder.ts';
import { HttpProxy3Forwarder } from '../forward/http-proxy-3.ts';
import { InstanceSocket } from '../forward/instance-socket.ts';
import { UndiciForwarder } from '../forward/undici.ts';
import type { Begun } from './begun.ts';
import { FakeContext } from './fake-context.ts';
import { Journey } from './journey.ts';

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

/** An edge whose forwarder behaves as given, once for each attempt. */
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

describe('a request without a connection', () => {
  /** Begins a request. Returns what the forwarder got, and the function to settle it. */
  function begin(incoming: Partial<FakeIncoming> = {}, context = new FakeContext({})) {
    const sent: ForwardedRequest[] = [];
    const outcomes: ((error?: ForwardError) => void)[] = [];
    let aborted = 0;
    context.forwarder.forward = (request, settled) => {
      sent.push(request);
      outcomes.push(settled);
      return {
        abort: () => {
          aborted += 1;
          settled();
        },
      };
    };
    const from = new FakeIncoming({ rawHeaders: ['Host', 'web.test'], ...incoming });
    const outgoing = new FakeOutgoing();
    const journey = new Journey(context, from, outgoing);
    journey.begin();
    const settled = (error?: ForwardError) => outcomes.shift()?.(error);
    return { context, incoming: from, outgoing, journey, sent, settled, aborted: () => aborted };
  }

  const upload = { method: 'PUT', complete: false, rawHeaders: ['Host', 'web.test', 'Content-Length', '4'] };

  test('whose instance is ready is with the forwarder at once, and all that it needs', () => {
    const { sent, context } = begin({ target: '/a?b', method: 'POST' });
    expect(sent).toMatchObject([
      {
        method: 'POST',
        path: '/a?b',
        body: undefined,
        target: { instanceId: 'a' },
        answerHeaders: ['X-Request-Id', expect.any(String)],
      },
    ]);
    expect(sent[0]?.headers.slice(0, 2)).toEqual(['Host', 'web.test']);
    expect(context.open).toBe(1);
  });

  test('is over when its answer is with the client', () => {
    const { context, outgoing, settled, aborted } = begin();
    outgoing.sendHead(201, undefined, []);
    outgoing.end();
    settled();
    expect([context.open, context.accesses]).toEqual([0, []]);
    outgoing.close();
    expect(context.accesses).toMatchObject([
      { status: 201, service: 'web', revision: '1', error: undefined },
    ]);
    expect(aborted()).toBe(0);
  });

  describe('whose client leaves', () => {
    test('is broken off at the instance', () => {
      const { context, outgoing, aborted } = begin();
      outgoing.close();
      expect([aborted(), context.open]).toEqual([1, 0]);
      expect(context.accesses).toMatchObject([{ status: 499 }]);
    });

    test('in the middle of the answer counts with its status, and why', () => {
      const { context, outgoing } = begin();
      outgoing.sendHead(200, undefined, []);
      outgoing.close();
      expect(context.accesses).toMatchObject([{ status: 200, error: { message: 'broken off' } }]);
    });
  });

  test('that cannot be read any further is a 400, or its body fails', async () => {
    const unread = begin(upload);
    unread.journey.unreadable(new Failure('BAD_REQUEST', 'no'));
    expect(unread.outgoing).toMatchObject({ status: 400, closes: true });

    const { sent, journey, outgoing, settled, incoming } = begin(upload);
    const body = sent[0]?.body;
    const failed = new Promise<ForwardError>((resolve) => body?.once('error', resolve));
    body?.read();
    journey.unreadable(new Failure('BAD_REQUEST', 'no'));
    settled(new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', await failed));
    expect(outgoing).toMatchObject({ status: 400, closes: true });
    expect(incoming.discarded).toBe(true);
  });

  test('that cannot be read while it waits does not wait any longer', async () => {
    const context = new FakeContext({});
    context.start = new Promise(() => {});
    const { journey, outgoing } = begin(upload, context);
    await settle();
    journey.unreadable(new Failure('BAD_REQUEST', 'no'));
    expect([context.waited, outgoing.status]).toEqual([1, 400]);
  });

  describe('on which nothing moves', () => {
    const { bodyTimeoutMs, idleTimeoutMs } = new FakeContext({}).limits;

    test('while the client sends nothing of its body, is a 408', () => {
      const { sent, journey, settled, outgoing } = begin(upload);
      const body = sent[0]?.body;
      body?.on('error', () => {}).read();
      journey.silent(bodyTimeoutMs - 1);
      expect(body?.destroyed).toBe(false);
      journey.silent(bodyTimeoutMs);
      settled(new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', body?.errored));
      expect(outgoing.status).toBe(408);
    });

    test('while the instance does not read, is a 504', () => {
      const { sent, journey, settled, outgoing, incoming } = begin(upload);
      const body = sent[0]?.body;
      body?.on('error', () => {}).read();
      incoming.pause();
      journey.silent(bodyTimeoutMs);
      expect(body?.destroyed).toBe(false);
      journey.silent(idleTimeoutMs);
      settled(new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', body?.errored));
      expect(outgoing.status).toBe(504);
    });

    test('before the answer has the time that instances have', () => {
      const { journey, outgoing } = begin();
      journey.silent(1_000_000);
      expect(outgoing).toMatchObject({ status: undefined, destroyed: false });
    });

    test.each([
      ['text/plain', true],
      ['text/event-stream; charset=utf-8', false],
    ])('in the middle of %s is broken off: %s', (type, expected) => {
      const { journey, outgoing } = begin();
      outgoing.sendHead(200, undefined, ['content-type', type]);
      journey.silent(idleTimeoutMs - 1);
      expect(outgoing.destroyed).toBe(false);
      journey.silent(idleTimeoutMs);
      expect(outgoing.destroyed).toBe(expected);
    });
  });

  test('hears 100 Continue once, however often it is sent', async () => {
    const { settled, sent, outgoing } = begin({ ...upload, expectsContinue: true });
    settled(new UpstreamError('UPSTREAM_DISCONNECTED', 'unsent', new Error('gone')));
    await settle();
    expect([sent.length, outgoing.continued]).toEqual([2, 1]);
  });

  test.each([
    ['close', true],
    ['', true],
    ['keep-alive', false],
    ['close, keep-alive', true],
  ])('of HTTP/1.0 with Connection: %s is the last: %s', (connection, last) => {
    const rawHeaders = ['Host', 'web.test', 'Connection', connection];
    expect(begin({ httpVersion: '1.0', rawHeaders }).outgoing.closes).toBe(last);
  });

  test('that asks the server is answered by it', () => {
    const { outgoing, sent } = begin({ method: 'OPTIONS', target: '*' });
    expect([outgoing.status, outgoing.writableEnded, sent]).toEqual([204, true, []]);
  });

  test('that comes while the edge closes is told so', () => {
    const context = new FakeContext({});
    context.draining = true;
    expect(begin({}, context).outgoing).toMatchObject({ status: 503, closes: true });
  });
});

test('a request that waits keeps the revision it was chosen for: one that sleeps gets its share of a split', async () => {
  const context = new FakeContext({ forward: () => forwarding });
  const sole = context.source.known('web');
  let chosen = 0;
  const source = {
    ...context.source,
    known: () =>
      sole && {
        serves: sole.serves,
        revisions: sole.revisions,
        choose: (...asked: Parameters<typeof sole.choose>) => {
          chosen += 1;
          return sole.choose(...asked);
        },
      },
  };
  context.start = Promise.resolve();
  new Journey(Object.assign(context, { source }), new FakeIncoming(), new FakeOutgoing()).begin();
  await settle();
  expect({ chosen, waited: context.waited }).toEqual({ chosen: 1, waited: 1 });
});

describe('a request that has been begun elsewhere', () => {
  const upstream = (reached: ForwardError['reached'], code: ForwardError['code'] = 'UPSTREAM_DISCONNECTED') =>
    new UpstreamError(code, reached, new Error('gone'));

  /** Begins where the other one stopped. */
  async function goOn(outcome: Begun['outcome'], differences: Partial<Begun> & Partial<FakeIncoming> = {}) {
    const sent: ForwardedRequest[] = [];
    const context = new FakeContext({
      forward: (request) => {
        sent.push(request);
        return forwarding;
      },
    });
    const choice = context.source.known('web')?.choose({ header: () => undefined }, '/', undefined);
    const lease = choice && context.activator.tryLease(choice.revision);
    if (choice === undefined || lease === undefined) throw new Error('no lease');
    const meter = context.meters.of('web');
    meter.begin();
    const { bodyTaken = false, ...incoming } = differences;
    const begun = {
      requestId: 'its-id',
      beganMs: context.clock.now() - 5_000,
      service: 'web',
      tag: undefined,
      choice,
      meter,
      lease,
      bodyTaken,
      outcome,
    };
    const from = new FakeIncoming({ rawHeaders: ['Host', 'web.test', 'X-Request-Id', 'a b'], ...incoming });
    const outgoing = new FakeOutgoing();
    return {
      context,
      sent,
      outgoing,
      begin: async () => {
        new Journey(context, from, outgoing, { begun }).begin();
        await settle();
      },
    };
  }

  test('goes on with the connection on which its answer comes, under the same lease and id', async () => {
    const socket = new InstanceSocket();
    const { context, sent, begin } = await goOn(socket);
    await begin();
    expect(sent).toMatchObject([{ sentOn: socket, answerHeaders: ['X-Request-Id', 'its-id'] }]);
    expect([context.open, (context.meters.read().services[0] ?? [])[1]]).toEqual([1, 1]);
  });

  test('is counted once, and from its beginning', async () => {
    const { context, outgoing, begin } = await goOn(upstream('sent'));
    await begin();
    outgoing.close();
    expect(outgoing.status).toBe(502);
    expect(context.accesses).toMatchObject([
      { requestId: 'its-id', status: 502, service: 'web', revision: '1' },
    ]);
    expect(context.accesses[0]?.durationMs).toBeGreaterThanOrEqual(5_000);
    expect(context.meters.read().services).toEqual([['web', 0, [0, 0, 0, 0, 0, 1]]]);
  });

  const body = { method: 'POST', complete: false, rawHeaders: ['Host', 'web.test', 'Content-Length', '4'] };

  test.each([
    ['unsent', upstream('unsent'), {}, 1],
    ['unsent, a POST', upstream('unsent'), body, 1],
    ['unsent, after some of its body has been taken', upstream('unsent'), { ...body, bodyTaken: true }, 0],
    ['stale', upstream('stale'), {}, 1],
    ['stale, a POST', upstream('stale'), body, 0],
    ['stale, its whole body taken', upstream('stale'), { method: 'PUT', bodyTaken: true }, 0],
    ['closed', upstream('closed'), {}, 1],
    ['sent', upstream('sent'), {}, 0],
    ['too late', upstream('sent', 'UPSTREAM_TIMEOUT'), {}, 0],
  ])('and has failed is sent again, or not, as any other: %s', async (_, outcome, differences, again) => {
    const { context, sent, outgoing, begin } = await goOn(outcome, differences);
    await begin();
    expect([sent.length, context.open, outgoing.status !== undefined]).toEqual([again, again, again === 0]);
    expect(sent.every(({ sentOn }) => sentOn === undefined)).toBe(true);
  });

  test('and has failed for its client is refused', async () => {
    const { context, outgoing, begin } = await goOn(new Failure('REQUEST_TIMEOUT', 'too slow'));
    await begin();
    expect([outgoing.status, outgoing.closes, context.open, context.examined]).toEqual([408, true, 0, 0]);
  });

  test('goes on though the edge drains, and its host has been given away', async () => {
    const { context, sent, begin } = await goOn(new InstanceSocket());
    context.draining = true;
    context.router.set('other', { hosts: ['web.test'] });
    await begin();
    expect(sent).toHaveLength(1);
  });

  test('whose client has left lets go of its instance', async () => {
    const socket = new InstanceSocket();
    const { context, sent, outgoing, begin } = await goOn(socket);
    outgoing.destroyed = true;
    await begin();
    expect([sent, context.open, socket.destroyed]).toEqual([[], 0, true]);
  });
});
