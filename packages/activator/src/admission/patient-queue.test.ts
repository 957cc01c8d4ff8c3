import { getEventListeners } from 'node:events';
import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { PatientQueue } from './patient-queue.ts';

test('serves in order those whose patience has not ended', async () => {
  const clock = new FakeClock();
  const queue = new PatientQueue(clock);
  const { signal } = new AbortController();
  const outcomes: string[] = [];
  for (const [name, patienceMs] of [
    ['first', 10],
    ['second', 100],
    ['third', 100],
  ] as const)
    void queue.wait(patienceMs, signal).then((came) => outcomes.push(`${name} ${came}`));
  await clock.advance(11);
  expect([queue.size, queue.serveNext()]).toEqual([2, true]);
  await clock.advance(0);
  expect(outcomes).toEqual(['first false', 'second true']);
  await clock.advance(100);
  expect([outcomes.at(-1), queue.serveNext(), clock.timers]).toEqual(['third false', false, 0]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('nobody waits with a signal that is aborted', async () => {
  const clock = new FakeClock();
  const queue = new PatientQueue(clock);
  expect(await queue.wait(100, AbortSignal.abort())).toBe(false);
  expect([queue.size, clock.timers]).toEqual([0, 0]);
});
