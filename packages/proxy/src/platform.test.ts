import type { Platform } from '@cless/admin';
import type { Revision } from '@cless/model';
import { Router } from '@cless/router';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UndiciForwarder } from './forward/undici.ts';
import { TrustedProxies } from './headers/trusted-proxies.ts';
import { createPlatform } from './platform.ts';
import { Server } from './server.ts';
import { FakeConvention } from './services/fake-convention.ts';

/** Of no matter here: nobody connects. */
const LIMITS = {
  maxTargetBytes: 1,
  maxHeaderBytes: 1,
  maxHeaderCount: 1,
  maxBodyBytes: 1,
  headersTimeoutMs: 1,
  keepAliveTimeoutMs: 1,
  bodyTimeoutMs: 1,
  idleTimeoutMs: 1,
};

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeConvention;
let server: Server;
let platform: Platform;
let lost: string | undefined;
const known = new Map<string, Revision>();

beforeEach(async () => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  source = new FakeConvention(runtime);
  lost = undefined;
  server = new Server({
    runtime,
    source,
    clock,
    probe: runtime.probe,
    router: new Router(),
    forwarder: new UndiciForwarder({ responseTimeoutMs: 1_000 }),
    trustedProxies: new TrustedProxies([]),
    log: pino({ level: 'silent' }),
    limits: LIMITS,
    maxPending: 10,
    maxStarts: 4,
    maxInstances: undefined,
    drainTimeoutMs: 0,
  });
  platform = createPlatform({
    server,
    runtime,
    source: { stored: (_, id) => known.get(id) },
    clock,
    version: '1.2.3',
    lost: () => lost,
    conventionImage: (service) => `${service}-docker`,
    explainRefusal: ({ field, reason }) => ({ field, reason: `here: ${reason}` }),
  });
  known.clear();
  server.run();
  await clock.advance(0);
});

afterEach(async () => {
  const closed = server.close({ keep: false });
  await clock.advance(60_000);
  await closed;
});

/** An instance of the service that is ready, and somebody's. */
async function leased(service = 'web') {
  const revision = await source.serving(service);
  const lease = server.activator.lease(revision);
  await clock.advance(100);
  return lease;
}

test('it says what it is, and what would not last', () => {
  expect(platform).toMatchObject({ version: '1.2.3', runtime: 'fake', connected: true, waiting: 0 });
  expect(platform.lost).toBeUndefined();
  lost = 'the state directory is gone';
  expect(platform.lost).toBe(lost);
});

test('an instance is idle when nobody uses it, since that moment', async () => {
  const lease = await leased();
  expect(await platform.instances()).toEqual([
    expect.objectContaining({ service: 'web', state: 'ready', requests: 1, idleMs: undefined }),
  ]);
  lease.release();
  await clock.advance(5_000);
  expect(await platform.instances()).toEqual([
    expect.objectContaining({ state: 'ready', requests: 0, idleMs: 5_000 }),
  ]);
});

test('from outside it is paused until it has been resumed, and ready until it has been paused', async () => {
  (await leased()).release();
  runtime.behaviour.pauseMs = 50;
  runtime.behaviour.resumeMs = 50;
  const state = async () => (await platform.instances())[0]?.state;
  await clock.advance(60_000);
  expect([...server.activator.instances()].map((one) => one.state)).toEqual(['pausing']);
  expect(await state()).toBe('ready');
  await clock.advance(50);
  expect(await state()).toBe('paused');
  const again = server.activator.lease(await source.serving());
  await clock.advance(10);
  expect([...server.activator.instances()].map((one) => one.state)).toEqual(['resuming']);
  expect(await state()).toBe('paused');
  await clock.advance(100);
  (await again).release();
  expect(await state()).toBe('ready');
});

test('one that is told to stop does so when it is not in use', async () => {
  const lease = await leased();
  const [{ id } = { id: '' }] = await platform.instances();
  expect(platform.stop(id)).toBe(true);
  expect((await platform.instances())[0]?.state).toBe('stopping');
  lease.release();
  await clock.advance(1_000);
  expect(await platform.instances()).toEqual([]);
  expect(platform.stop(id)).toBe(false);
});

test('how the last start went is told with what the convention calls the image', async () => {
  expect(platform.lastStart('web')).toBeUndefined();
  (await leased()).release();
  expect(platform.lastStart('web')).toMatchObject({ service: 'web', image: 'web-docker' });
});

test('secrets of a revision are in no line of its logs', async () => {
  const revision = { ...(await source.serving()), secrets: ['last'] };
  const asked = server.activator.lease(revision);
  await clock.advance(100);
  (await asked).release();
  const [{ id } = { id: '' }] = await platform.instances();
  const { signal } = new AbortController();
  for (const follow of [false, true]) {
    const lines: string[] = [];
    for await (const line of platform.logs(id, { lines: 10, follow, signal })) lines.push(line);
    expect(lines).toEqual([expect.not.stringContaining('last')]);
  }
});

test('what is proved is kept awake until it is let go', async () => {
  const revision = await source.serving();
  known.set(revision.id, revision);
  const proof = platform.prove('web', revision.id);
  await clock.advance(100);
  const lease = await proof;
  await clock.advance(3_600_000);
  expect(await platform.instances()).toMatchObject([{ state: 'ready', requests: 1 }]);
  lease.release();
  await expect(platform.prove('web', 'nobody')).rejects.toThrow('there is no revision nobody of web');
});

test('a start that fails is told with its last words', async () => {
  const revision = await source.serving();
  known.set(revision.id, revision);
  runtime.behaviour.starts = 'exit';
  const proof = platform.prove('web', revision.id).catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await proof).toMatchObject({ lastLogLines: ['the last line'] });
});

test('events are told as they come, and again from where somebody was', async () => {
  const heard: string[] = [];
  const stop = platform.subscribe(({ type }) => heard.push(type));
  platform.publish({ type: 'deployed', service: 'web' });
  stop();
  platform.publish({ type: 'removed', service: 'web' });
  expect(heard).toEqual(['deployed']);
});

test('metrics are those of the server', async () => {
  expect(await platform.metrics()).toContain('# HELP cless_');
});
