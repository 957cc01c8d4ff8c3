import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Usage } from './usage.ts';

test('is idle since the last lease ended that keeps awake', async () => {
  const clock = new FakeClock();
  const usage = new Usage(clock);
  usage.begin(true);
  usage.begin(false);
  await clock.advance(100);
  usage.end(true);
  await clock.advance(50);
  usage.end(false);
  expect([usage.leases, usage.idleMs]).toEqual([0, 50]);
  usage.touch(70); // longer ago than is known here
  expect(usage.idleMs).toBe(50);
  usage.touch(20);
  expect(usage.idleMs).toBe(20);
});
