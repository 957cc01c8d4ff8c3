import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { StartQueue } from './start-queue.ts';

test('turns come in order, so many at once, and whoever waits too long gets none', async () => {
  const clock = new FakeClock();
  const queue = new StartQueue(2, clock);
  const order: string[] = [];
  const take = async (name: string, timeoutMs = 1_000) => {
    const end = await queue.turn(timeoutMs, new AbortController().signal);
    order.push(end === undefined ? `${name} waited in vain` : name);
    return end;
  };
  const first = await take('first');
  await take('second');
  const third = take('third');
  const impatient = take('impatient', 10);
  const fourth = take('fourth');
  await clock.advance(20);
  expect(order).toEqual(['first', 'second', 'impatient waited in vain']);
  first?.();
  first?.(); // a second call has no effect
  await clock.advance(0);
  expect(order.at(-1)).toBe('third');
  (await third)?.();
  (await fourth)?.();
  expect(await impatient).toBeUndefined();
  expect(order.at(-1)).toBe('fourth');
  expect(clock.timers).toBe(0);
});
