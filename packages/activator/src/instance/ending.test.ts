import { expect, test } from 'vitest';
import { FakeBody } from './fake-body.ts';

const failed = (code: string) => Object.assign(new Error('no'), { code });

test('a stop closes connections first, and is told with how long it took', async () => {
  const world = new FakeBody();
  await world.start();
  void world.ending.stop('idle');
  void world.ending.stop('retired');
  await world.clock.advance(100);
  expect(world.events).toMatchObject([
    { type: 'stopping', reason: 'idle' },
    { type: 'stopped', reason: 'idle', durationMs: 10 },
  ]);
  expect([world.connections, world.states.at(-1), world.body.stopReason]).toEqual([
    ['i1 closed'],
    'gone',
    'idle',
  ]);
  expect(world.clock.timers).toBe(0);
});

test('one that has exited tells its last words, and gets no grace', async () => {
  const world = new FakeBody();
  await world.start();
  world.runtime.die('i1', 3);
  world.ending.exited({ exitCode: 3 });
  await world.clock.advance(100);
  expect(world.told).toEqual(['stopping', 'exited', 'stopped']);
  expect(world.connections).toEqual(['i1 destroyed']);
});

test('one that vanishes is gone at once, whatever it was doing', async () => {
  for (const stops of [false, true]) {
    const world = new FakeBody();
    world.runtime.behaviour.stopMs = 1e6;
    await world.start();
    if (stops) void world.ending.stop('idle');
    await world.clock.advance(10);
    world.ending.vanished();
    await world.clock.advance(10);
    expect(world.body.state).toBe('gone');
    world.ending.vanished();
  }
});

test('a removal that fails is tried again; when it has taken too long its place is somebody else’s', async () => {
  const world = new FakeBody();
  await world.start();
  world.runtime.setReachable(false);
  void world.ending.stop('idle');
  await world.clock.advance(12_000);
  expect([world.overdue, world.ending.isOverdue, world.body.state]).toEqual([1, true, 'stopping']);
  expect(world.told).toContain('stop-failed');
  world.runtime.setReachable(true);
  await world.clock.advance(30_000);
  expect([world.body.state, world.clock.timers]).toEqual(['gone', 0]);
});

test.each([
  ['START_FAILED', 0],
  ['ENGINE_UNREACHABLE', 1],
])('a start that failed before there was an id leaves nothing, or a doubt: %s', (code, doubts) => {
  const world = new FakeBody();
  world.ending.discard(failed(code));
  expect([world.body.state, world.doubts, world.told]).toEqual(['gone', doubts, ['start-failed']]);
});

test('what is left of a start that failed goes, with its last words', async () => {
  const world = new FakeBody();
  world.runtime.behaviour.starts = 'never-ready';
  const started = world.launch.start().catch((error: unknown) => world.ending.discard(error));
  await world.clock.advance(5_000);
  await started;
  expect(world.events.at(-1)).toMatchObject({ type: 'start-failed', error: { code: 'NOT_READY' } });
  expect([world.body.state, world.runtime.instances.size]).toEqual(['gone', 0]);
});

test('one that is starting is told to give up; one that is abandoned runs on', async () => {
  const world = new FakeBody();
  const started = expect(world.launch.start()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await world.clock.advance(10);
  void world.ending.stop('shutdown');
  await started;

  const other = new FakeBody();
  await other.start();
  other.ending.abandon();
  expect([other.body.state, other.runtime.instances.size]).toEqual(['gone', 1]);
});
