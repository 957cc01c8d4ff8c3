import { expect, test } from 'vitest';
import { FakeBody } from './fake-body.ts';

test('goes only from one state to those that may follow', () => {
  const { body, states } = new FakeBody();
  expect(() => body.become('paused')).not.toThrow();
  expect(() => body.become('pausing')).toThrow('cannot go from paused to pausing');
  expect([body.is('paused'), states]).toEqual([true, ['paused']]);
});

test('has an id when the runtime has given it one, and another where it was made anew', () => {
  const { body, ids } = new FakeBody();
  expect(() => body.known()).toThrow('an instance that is starting has no id');
  for (const id of ['a', 'a', 'b']) body.identify(id);
  expect([body.known(), ids]).toEqual(['b', ['a', 'b']]);
});

test('breaks off what is open to where it was, if it has moved', async () => {
  const world = new FakeBody();
  await world.start();
  const { body } = world;
  if (body.endpoint !== undefined) body.move({ ...body.endpoint });
  expect(world.moved).toBe(0);
  body.move({ host: '127.0.0.1', port: 1 });
  expect([world.moved, world.connections]).toEqual([1, ['i1 destroyed']]);
});

test('tells its last lines without its secrets, and how it is as far as the runtime says', async () => {
  const { body, runtime } = new FakeBody();
  expect((await body.lastLogLines('i1')).join()).not.toContain('line');
  body.identify('i1');
  expect(await body.inspect()).toBeUndefined();
  runtime.setReachable(false);
  expect(await body.inspect()).toBe('unknown');
});
