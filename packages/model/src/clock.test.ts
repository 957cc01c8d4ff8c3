import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a timer of more than 24.8 days, which Node would run at once, is waited for', () => {
  const callback = vi.fn();
  const days = 24 * 3_600_000;
  systemClock.after(60 * days, callback);
  vi.advanceTimersByTime(59 * days);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2 * days);
  expect(callback).toHaveBeenCalledTimes(1);
});

test('a timer that is taken back does nothing, in any of its steps', () => {
  const callback = vi.fn();
  const timer = systemClock.after(60 * 24 * 3_600_000, callback);
  vi.advanceTimersByTime(30 * 24 * 3_600_000);
  timer.cancel();
  expect(vi.getTimerCount()).toBe(0);
});

test('an hour’s jump of the wall clock changes nothing', () => {
  const before = systemClock.now();
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(systemClock.now() - before).toBeLessThan(60_000);
});
