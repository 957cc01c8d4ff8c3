import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { Revision } from '../revision.ts';
import { Admission, Place } from './admission.ts';

const revision = (service: string, rollout?: 'replace'): Revision => ({
  service,
  id: '1',
  spec: undefined,
  readiness: { timeoutMs: 100 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 1,
  rollout,
});

let clock: FakeClock;
let closing: AbortController;
let evict: () => boolean;

function build(options: { maxStarts?: number; maxInstances?: number }): Admission {
  return new Admission({
    ...{ clock, closing: closing.signal, evict: () => evict() },
    ...{ maxStarts: 10, maxInstances: 10, ...options },
  });
}

const wanted = () => true;

beforeEach(() => {
  clock = new FakeClock();
  closing = new AbortController();
  evict = () => false;
});

test('a place is given back once, however often', async () => {
  const admission = build({ maxInstances: 1 });
  const place = await admission.enter(revision('a'), wanted);
  if (typeof place === 'string') throw new Error(place);
  expect(admission.adopt(revision('b'))).toBeUndefined();
  place.leaveRoom(false);
  place.giveBack();
  expect([admission.adopt(revision('b')), admission.adopt(revision('c'))]).toEqual([
    expect.any(Place),
    undefined,
  ]);
});

test.each([
  ['no-room', { maxInstances: 0 }],
  ['no-turn', { maxStarts: 0 }],
] as const)('%s, if there is none in time', async (refusal, options) => {
  const admission = build(options);
  const entered = admission.enter(revision('a'), wanted);
  await clock.advance(1_001);
  expect(await entered).toBe(refusal);
  expect([clock.timers, admission.adopt(revision('b')) === undefined]).toEqual([0, refusal === 'no-room']);
});

test('volumes in use, if who has them does not go; unwanted, if nobody waits any more', async () => {
  const admission = build({});
  const first = await admission.enter(revision('a', 'replace'), wanted);
  let isWanted = true;
  const second = admission.enter(revision('a', 'replace'), () => isWanted);
  await clock.advance(1_001);
  expect(await second).toBe('volumes-in-use');
  const third = admission.enter(revision('a', 'replace'), () => isWanted);
  isWanted = false;
  admission.changed('a');
  expect(await third).toBe('unwanted');
  if (typeof first !== 'string') first.giveBack();
  expect(clock.timers).toBe(0);
});

test('no wait outlives the closing', async () => {
  const admission = build({ maxInstances: 0 });
  const waiting = admission.enter(revision('a'), wanted);
  await clock.advance(1);
  closing.abort();
  expect(await waiting).toBe('no-room');
  expect(await admission.enter(revision('b'), wanted)).toBe('no-room');
  expect(clock.timers).toBe(0);
});

test('what goes for another changes when that has been looked at, and not within it', async () => {
  const admission = build({ maxInstances: 1 });
  const places = [await admission.enter(revision('a'), wanted)];
  const order: string[] = [];
  evict = () => {
    order.push('evict');
    admission.changed('a'); // as the instance does that is stopped
    order.push('evicted');
    return true;
  };
  const entered = [admission.enter(revision('b'), wanted), admission.enter(revision('c'), wanted)];
  await clock.advance(0);
  expect(order).toEqual(['evict', 'evicted', 'evict', 'evicted']);
  for (const place of places) if (typeof place !== 'string') place.giveBack(true);
  await clock.advance(101);
  expect(await Promise.all(entered)).toEqual([expect.any(Place), 'no-room']);
});
