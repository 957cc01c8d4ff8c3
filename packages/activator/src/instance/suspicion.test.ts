import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Suspicion } from './suspicion.ts';

test('is there for a while after a failure', async () => {
  const clock = new FakeClock();
  const suspicion = new Suspicion(clock);
  expect(suspicion.isFresh).toBe(false);
  suspicion.begin();
  expect(suspicion.isFresh).toBe(true);
  await clock.advance(10_000);
  expect(suspicion.isFresh).toBe(false);
});
