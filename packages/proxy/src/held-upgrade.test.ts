import { once } from 'node:events';
import { connect } from 'node:net';
import { Router } from '@cless/router';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import type { ForwardError, Revision, UpgradeExchange } from './contracts.ts';
import { SoleRevision } from './convention-source.ts';
import { UpstreamError } from './forward-error.ts';
import { TrustedProxies } from './forwarded.ts';
import { type Access, Front } from './front.ts';
import { Lease } from './lease.ts';

const REVISION: Revision = {
  service: 'web',
  id: '1',
  spec: { service: 'web', revision: '1', image: 'web', port: 80 },
  readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 0,
};

let front: Front | undefined;
afterEach(() => front?.drain(0));

/** Sends an upgrade through a front whose forwarder does as it is told; tells what came of it. */
async function upgrade(tries: ((exchange: UpgradeExchange) => Promise<number>)[]) {
  const accesses: Access[] = [];
  let examined = 0;
  let open = 0;
  const lease = () => {
    open += 1;
    const instance = {
      revision: REVISION,
      released: () => {
        open -= 1;
      },
      examine: async () => {
        examined += 1;
      },
    };
    return new Lease(instance, 'a', { host: '127.0.0.1', port: 1 }, undefined, true);
  };
  front = new Front({
    router: new Router({ convention: { imageSuffix: '' } }),
    source: {
      known: () => new SoleRevision(REVISION),
      resolve: async () => undefined,
      revision: async () => undefined,
      refresh: () => {},
      onRetired: () => {},
      onKept: () => {},
    },
    activator: { tryLease: lease, lease: async () => lease() },
    forwarder: {
      forward: () => {},
      upgrade: (exchange) => tries.shift()?.(exchange) ?? Promise.reject(new Error('one try too many')),
      close: async () => {},
      destroy: () => {},
    },
    clock: systemClock,
    limits: {
      maxTargetBytes: 100,
      maxHeaderCount: 10,
      maxBodyBytes: 100,
      maxHeaderBytes: 1_000,
      headersTimeoutMs: 1_000,
      keepAliveTimeoutMs: 1_000,
      bodyTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
    },
    trustedProxies: new TrustedProxies([]),
    onAccess: (access) => accesses.push(access),
  });
  const { port } = await front.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
  const [first] = await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => accesses).toHaveLength(1);
  return { answer: String(first), status: accesses[0]?.status, examined, open, left: tries.length };
}

const fails = (reached: ForwardError['reached']) => () =>
  Promise.reject(new UpstreamError('UPSTREAM_DISCONNECTED', reached, new Error('gone')));
const answers = (status: number) => async (exchange: UpgradeExchange) => {
  exchange.takeEarly();
  exchange.socket.end(`HTTP/1.1 ${status} So\r\nContent-Length: 0\r\n\r\n`);
  return status;
};

test('what was never sent is sent again, and the instance examined', async () => {
  const { answer, examined, open } = await upgrade([fails('unsent'), fails('unsent'), answers(101)]);
  expect([answer.split('\r\n')[0], examined, open]).toEqual(['HTTP/1.1 101 So', 2, 0]);
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
