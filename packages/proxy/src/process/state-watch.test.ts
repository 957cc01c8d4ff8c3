import { FakeClock } from '@cless/testkit';
import { expect, test, vi } from 'vitest';
import { watchState } from './state-watch.ts';

test('that the state directory is gone is told once', async () => {
  const clock = new FakeClock();
  const log = { error: vi.fn() };
  const state = { path: '/state', exists: true };
  watchState(state, { clock, log });
  await clock.advance(60_000);
  expect(log.error).not.toHaveBeenCalled();
  state.exists = false;
  await clock.advance(60_000);
  expect(log.error).toHaveBeenCalledOnce();
  expect(log.error).toHaveBeenCalledWith(expect.stringMatching(/^the state directory \/state is gone/));
});
