import { expect, test } from 'vitest';
import { WaitingRoom } from './waiting-room.ts';

test('takes in so many, and others when one has left', () => {
  const room = new WaitingRoom(2);
  expect([room.enter(), room.enter(), room.enter()]).toEqual([true, true, false]);
  room.leave();
  expect(room.size).toBe(1);
  expect(room.enter()).toBe(true);
});
