import { getEventListeners } from 'node:events';
import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Waiters } from './waiters.ts';

test('those that leave wait no more, and nothing is left of them', async () => {
  const waiters = new Waiters(new FakeClock());
  const client = new AbortController();
  const left = expect(waiters.wait(client.signal)).rejects.toThrow('left');
  const stays = expect(waiters.wait(undefined)).rejects.toThrow('no instance');
  expect(waiters.size).toBe(2);
  client.abort(new Error('left'));
  await left;
  expect([waiters.size, getEventListeners(client.signal, 'abort')]).toEqual([1, []]);
  waiters.serve(() => undefined);
  expect(waiters.size).toBe(1);
  waiters.fail(new Error('no instance'));
  await stays;
  expect(waiters.size).toBe(0);
});
