import type { AddressInfo } from 'node:net';
import { Router } from '@cless/router';
import { FakeClock, FakePort, FakeRuntime } from '@cless/testkit';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UndiciForwarder } from './forward/undici.ts';
import { TrustedProxies } from './headers/trusted-proxies.ts';
import { Server, type ServerOptions } from './server.ts';
import { FakeConvention } from './services/fake-convention.ts';

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeConvention;
let told: string[];
let server: Server;

function build(options: Partial<ServerOptions> = {}): void {
  server = new Server({
    runtime,
    source,
    clock,
    probe: runtime.probe,
    router: new Router(),
    forwarder: new UndiciForwarder({ responseTimeoutMs: 1_000 }),
    trustedProxies: new TrustedProxies([]),
    log: pino({ enabled: false }),
    limits: {
      maxTargetBytes: 1_000,
      maxHeaderBytes: 1_000,
      maxHeaderCount: 10,
      maxBodyBytes: 1_000,
      headersTimeoutMs: 1_000,
      keepAliveTimeoutMs: 1_000,
      bodyTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
    },
    maxPending: 10,
    maxStarts: 4,
    maxInstances: undefined,
    drainTimeoutMs: 0,
    onEvent: ({ type }) => told.push(type),
    ...options,
  });
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  source = new FakeConvention(runtime);
  told = [];
  build();
});

afterEach(async () => {
  const closed = server.close({ keep: false });
  await clock.advance(60_000);
  await closed;
});

test('it looks at the runtime once it listens, and not where it cannot', async () => {
  const { port } = (await server.listen({ host: '127.0.0.1', port: 0 })) as AddressInfo;
  await clock.advance(0);
  expect(runtime.watchers).toBe(1);
  expect(told).toEqual(['runtime-connected']);

  const other = new FakeRuntime(clock);
  build({ runtime: other });
  await expect(server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(other.watchers).toBe(0);
});

test('what is proved is kept awake until the lease ends', async () => {
  server.run();
  const revision = await source.serving();
  const proving = server.prove(revision);
  await clock.advance(1_000);
  const lease = await proving;
  await clock.advance(100_000);
  expect(runtime.instances.get(lease.instanceId)?.state).toBe('running');
  lease.release();
  await clock.advance(61_000);
  expect(runtime.instances.get(lease.instanceId)?.state).toBe('paused');
});

test('why a revision does not get ready is told with what it wrote last', async () => {
  server.run();
  runtime.behaviour.starts = 'exit';
  const proving = server.prove(await source.serving()).catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await proving).toMatchObject({ code: 'START_FAILED', lastLogLines: expect.any(Array) });
});

test('what happens is in events, metrics and the last starts', async () => {
  server.run();
  const seen: unknown[] = [];
  server.events.subscribe(({ type, service }) => seen.push(`${type} ${service}`));
  const proving = server.prove(await source.serving());
  await clock.advance(1_000);
  (await proving).release();
  expect(told).toEqual(expect.arrayContaining(['starting', 'ready']));
  expect(seen).toEqual(expect.arrayContaining(['starting web', 'ready web']));
  expect(server.lastStarts.of('web')).toMatchObject({ service: 'web' });
  expect(await server.metrics.text()).toMatch(/^cless_/m);
});

test('closed it stops what runs, or keeps it', async () => {
  for (const keep of [true, false]) {
    build();
    server.run();
    const proving = server.prove(await source.serving());
    await clock.advance(1_000);
    (await proving).release();
    const closed = server.close({ keep });
    await clock.advance(60_000);
    await closed;
    expect(runtime.instances.size).toBe(keep ? 1 : 0);
  }
});

test('with workers there is no middleware, since requests come in there', () => {
  const [port] = FakePort.pair<never>(clock);
  const fork = () => Object.assign(port, { pid: 1, ended: {}, kill: () => {} });
  build({ workers: { count: 1, fork, convention: undefined } });
  expect(() => server.middleware).toThrow('with workers');
});
