import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('rests longer after each failure, to a minute, until it is reset', async () => {
  const clock = new FakeClock();
  const backoff = new Backoff(clock);
  expect(backoff.remainingMs).toBe(0);
  const rests = Array.from({ length: 8 }, (_, i) => {
    backoff.fail(`failure ${i}`);
    return backoff.remainingMs / 1_000;
  });
  expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect([backoff.failures, backoff.cause]).toEqual([8, 'failure 7']);
  await clock.advance(60_000);
  expect(backoff.remainingMs).toBe(0);
  backoff.reset();
  expect([backoff.failures, backoff.cause]).toEqual([0, undefined]);
});
