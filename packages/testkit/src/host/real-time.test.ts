import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RealTime, watchRealTime } from './real-time.ts';

let time: RealTime;

beforeEach(() => {
  time = watchRealTime(20);
});
afterEach(() => {
  vi.useRealTimers();
  time.stop();
});

const told = () => time.waits.splice(0).map((stack) => stack.split('\n')[0]);

test('what goes off after so long has been waited for, however it was armed', async () => {
  await sleep(20);
  expect(told()).toEqual(['Error: 20 ms']);
  await new Promise((resolve) => setTimeout(resolve, 21));
  expect(told()).toEqual(['Error: 21 ms']);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      clearInterval(timer);
      resolve();
    }, 22);
  });
  expect(told()).toEqual(['Error: 22 ms']);
  const signal = AbortSignal.timeout(23);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  expect(told()).toEqual(['Error: 23 ms']);
});

test('what is short, or taken back, has not; nor has the time of a faked clock', async () => {
  await sleep(1);
  clearTimeout(setTimeout(() => {}, 30));
  const leave = new AbortController();
  const left = expect(sleep(30, undefined, { signal: leave.signal })).rejects.toThrow();
  leave.abort();
  await left;
  vi.useFakeTimers();
  const later = new Promise((resolve) => setTimeout(resolve, 60_000));
  await vi.advanceTimersByTimeAsync(60_000);
  await later;
  expect(told()).toEqual([]);
});

test('all is as it was afterwards', async () => {
  time.stop();
  await sleep(20);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told()).toEqual([]);
});
