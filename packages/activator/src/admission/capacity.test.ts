import { FakeClock } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Capacity } from './capacity.ts';

const { signal } = new AbortController();

test('one goes for each that waits, and no more; its place is the next one’s', async () => {
  const clock = new FakeClock();
  const capacity = new Capacity(2, clock);
  let evicted = 0;
  const evict = () => {
    evicted += 1;
    return evicted <= 2;
  };
  expect([await capacity.enter(100, signal), await capacity.enter(100, signal)]).toEqual([true, true]);
  const entered: string[] = [];
  void capacity.enter(100, signal).then((isIn) => entered.push(`first ${isIn}`));
  capacity.makeRoom(evict);
  capacity.makeRoom(evict);
  expect(evicted).toBe(1);
  void capacity.enter(100, signal).then((isIn) => entered.push(`second ${isIn}`));
  capacity.makeRoom(evict);
  expect(evicted).toBe(2);
  expect(capacity.adopt()).toBe(false);
  capacity.leave(true);
  await clock.advance(0);
  expect(entered).toEqual(['first true']);
  await clock.advance(101);
  expect(entered).toEqual(['first true', 'second false']);
  expect(clock.timers).toBe(0);
});

test('what runs already takes a place, if there is one', () => {
  const capacity = new Capacity(1, new FakeClock());
  expect([capacity.adopt(), capacity.adopt()]).toEqual([true, false]);
  capacity.leave(false);
  expect(capacity.adopt()).toBe(true);
});

test('nobody waits longer than the signal says', async () => {
  const clock = new FakeClock();
  const capacity = new Capacity(0, clock);
  const end = new AbortController();
  const entered = capacity.enter(100, end.signal);
  end.abort();
  expect(await entered).toBe(false);
  expect(clock.timers).toBe(0);
});
