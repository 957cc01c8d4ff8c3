import { expect, test } from 'vitest';
import { FakeBody } from './fake-body.ts';
import { Sleep } from './sleep.ts';

async function build() {
  const world = new FakeBody();
  await world.start();
  let rested = 0;
  const sleep = new Sleep(world.body, world.ending, () => (rested += 1));
  /** Lets time pass until it is done. */
  const done = async (call: Promise<void>) => {
    const settled = call.then(
      () => undefined,
      (error: unknown) => error,
    );
    await world.clock.advance(100);
    return settled;
  };
  return { world, sleep, done, rested: () => rested };
}

test('a pause closes connections first; a resume begins the idle time anew', async () => {
  const { world, sleep, done } = await build();
  const touched = world.touched;
  await done(sleep.pause());
  expect([world.body.state, world.connections, world.touched]).toEqual(['paused', ['i1 closed'], touched]);
  await done(sleep.resume());
  expect([world.body.state, world.touched]).toEqual(['ready', touched + 1]);
  expect(world.events).toMatchObject([
    { type: 'paused', durationMs: 5, byHand: false },
    { type: 'resumed', durationMs: 5, byHand: false },
  ]);
});

test('a pause that fails leaves it ready, and in doubt', async () => {
  const { world, sleep, done } = await build();
  world.runtime.setReachable(false);
  await done(sleep.pause());
  expect([world.body.state, world.doubts, world.told]).toEqual(['ready', 1, ['pause-failed']]);
});

test('a resume that fails without an answer is left alone for a while', async () => {
  const { world, sleep, done, rested } = await build();
  await done(sleep.pause());
  world.runtime.setReachable(false);
  const error = await done(sleep.resume());
  expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  await done(sleep.recover('resuming', error));
  expect([world.body.state, sleep.isResting, rested()]).toEqual(['paused', true, 0]);
  await world.clock.advance(1_000);
  expect([sleep.isResting, rested()]).toEqual([false, 1]);
});

test.each([
  ['still paused: it will not wake', 'pause', 'gone'],
  ['running: it has woken', 'run', 'ready'],
  ['gone', 'remove', 'gone'],
  ['dead', 'die', 'gone'],
] as const)('a resume that fails, and the instance is %s', async (_, how, state) => {
  const { world, sleep, done } = await build();
  await done(sleep.pause());
  world.body.become('resuming');
  if (how === 'run') world.runtime.resumeByHand('i1');
  if (how === 'remove') world.runtime.remove('i1');
  if (how === 'die') world.runtime.die('i1');
  await done(sleep.recover('resuming', new Error('no')));
  expect(world.body.state).toBe(state);
});

test('a failure that comes when it is otherwise already changes nothing', async () => {
  const { world, sleep, done } = await build();
  await done(sleep.recover('pausing', new Error('no')));
  expect([world.body.state, world.told]).toEqual(['ready', []]);
});
