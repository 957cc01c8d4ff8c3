import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime, settle } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { InstanceEvent } from '../event.ts';
import type { ReadinessProbe } from '../runtime.ts';
import { Body } from './body.ts';
import { Launch } from './launch.ts';

let clock: FakeClock;
let runtime: FakeRuntime;
let launch: Launch<Revision>;
let events: InstanceEvent['type'][];
let ids: string[];
let looks: number;
let ready: number;

const revision: Revision = {
  service: 'web',
  id: 'web-1',
  spec: { service: 'web', revision: 'web-1', image: 'web-1', port: 8080 },
  readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
  idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
  stopGraceMs: 10_000,
};

/** Never ready. */
const silence: ReadinessProbe<Revision['readiness']> = (_, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

function build(probe: ReadinessProbe<Revision['readiness']> = runtime.probe): void {
  const body: Body<Revision> = new Body(
    revision,
    {
      ...{ runtime, probe, clock },
      connections: { close: async () => {}, destroy: () => {} },
      explain: async () => 'it says why',
      closing: new AbortController().signal,
    },
    {
      tell: ({ type }) => events.push(type),
      identified: (id) => ids.push(id),
      became: () => {
        ready += 1;
        launch.over();
      },
      moved: () => {},
      touched: () => {},
      doubt: () => {},
    },
  );
  launch = new Launch(body, async () => {
    looks += 1;
  });
}

/** The outcome of the promise after so much time. */
async function outcome(of: Promise<void>, ms: number): Promise<unknown> {
  const settled = of.then(
    () => 'ready',
    (error: unknown) => error,
  );
  await clock.advance(ms);
  return Promise.race([settled, settle().then(() => 'under way')]);
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  runtime.images.set('web', 'web-1');
  events = [];
  ids = [];
  looks = 0;
  ready = 0;
});

test('is ready once, and leaves nothing behind', async () => {
  build();
  expect(await outcome(launch.start(), 1_000)).toBe('ready');
  expect(events).toEqual(['starting', 'created', 'started', 'ready']);
  expect([ready, clock.timers]).toEqual([1, 0]);
});

test('looks now and then until it is over', async () => {
  build(silence);
  expect(await outcome(launch.start(), 21_000)).toBe('under way');
  expect(looks).toBe(4);
  launch.over();
  expect(clock.timers).toBe(0);
});

test('an end that is told while the runtime is at it counts for the container that it comes back with', async () => {
  build();
  const started = launch.start();
  await clock.advance(10);
  expect(launch.isMade).toBe(false);
  launch.ended(ids[0], { exitCode: 3 });
  expect(await outcome(started, 1_000)).toMatchObject({ code: 'START_FAILED', exitCode: 3 });
  expect(ready).toBe(0);
});

test('an end of a container that the runtime made anew is none', async () => {
  build();
  const started = launch.start();
  await clock.advance(10);
  launch.ended('the one before', { exitCode: 3 });
  expect(await outcome(started, 1_000)).toBe('ready');
});

test.each([
  ['that it has ended', () => launch.ended(ids[0], { exitCode: 3 }), { code: 'START_FAILED', exitCode: 3 }],
  ['that nobody wants it any more', () => launch.giveUp(), { code: 'SHUTTING_DOWN' }],
])('%s ends the wait for it', async (_, end, error) => {
  build(silence);
  const started = launch.start();
  expect(await outcome(started, 1_000)).toBe('under way');
  expect(launch.isMade).toBe(true);
  end();
  expect(await outcome(started, 0)).toMatchObject(error);
  expect(ready).toBe(0);
});
