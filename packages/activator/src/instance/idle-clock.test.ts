import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { IdleClock, idleStepMs, neverStops } from './idle-clock.ts';
import { Usage } from './usage.ts';

test.each([
  ['ready', 10, 20, true, 10],
  ['ready', 10, 20, false, 20],
  ['ready', 20, 10, true, 10],
  ['ready', undefined, 20, true, 20],
  ['ready', 10, undefined, true, 10],
  ['ready', undefined, undefined, true, undefined],
  ['paused', 10, 20, true, 20],
  ['paused', 10, undefined, true, undefined],
  ['pausing', 10, 20, true, undefined],
] as const)(
  '%s, paused after %s and stopped after %s: %s → %s',
  (state, pauseAfterMs, stopAfterMs, canPause, due) => {
    expect(idleStepMs(state, { pauseAfterMs, stopAfterMs }, canPause)).toBe(due);
  },
);

test('what is neither paused nor stopped never stops', () => {
  expect(neverStops({ pauseAfterMs: undefined, stopAfterMs: undefined })).toBe(true);
  expect(neverStops({ pauseAfterMs: 1, stopAfterMs: undefined })).toBe(false);
});

test('one timer serves many leases: it says when to look again', async () => {
  const clock = new FakeClock();
  const usage = new Usage(clock);
  let fired = 0;
  const idle = new IdleClock(
    clock,
    usage,
    () => 100,
    () => (fired += 1),
  );
  idle.arm();
  idle.arm();
  expect(clock.timers).toBe(1);
  await clock.advance(60);
  usage.touch();
  await clock.advance(50);
  expect([fired, idle.due]).toEqual([1, false]);
  idle.arm();
  await clock.advance(50);
  expect([fired, idle.due]).toEqual([2, true]);
  idle.arm();
  idle.cancel();
  expect(clock.timers).toBe(0);
});
