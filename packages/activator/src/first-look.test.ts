import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { WaitingRoom } from './admission/waiting-room.ts';
import { FirstLook } from './first-look.ts';

test('holds so many until it is known what runs', async () => {
  const room = new WaitingRoom(2);
  const look = new FirstLook(room);
  const client = new AbortController();
  const held = look.wait(undefined);
  const left = expect(look.wait(client.signal)).rejects.toThrow('left');
  await expect(look.wait(undefined)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  client.abort(new Error('left'));
  await left;
  expect([room.size, getEventListeners(client.signal, 'abort')]).toEqual([1, []]);
  look.done();
  await held;
  expect([room.size, look.isDone]).toEqual([0, true]);
});

test('fails those that wait when the runtime is lost, and those that come until it is back', async () => {
  const look = new FirstLook(new WaitingRoom(9));
  const held = expect(look.wait(undefined)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  look.reachable(new Error('no socket'));
  await held;
  await expect(look.wait(undefined)).rejects.toThrow('no socket');
  look.reachable(undefined);
  const again = look.wait(undefined);
  look.done();
  await again;
});
