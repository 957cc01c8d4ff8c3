import { expect, test } from 'vitest';
import { Examination } from './examination.ts';
import { FakeBody } from './fake-body.ts';

async function build() {
  const world = new FakeBody();
  await world.start();
  const found: string[] = [];
  const examination = new Examination(world.body, world.ending, {
    refused: () => found.push('refused'),
    found: (finding) => found.push(finding),
    examined: () => found.push('over'),
  });
  const run = async (ms = 100) => {
    const over = Promise.all([examination.run(), examination.run()]);
    expect(examination.isUnderWay).toBe(true);
    await world.clock.advance(ms);
    await over;
    expect(examination.isUnderWay).toBe(false);
  };
  return { world, found, run, examination };
}

test('many reasons are one look', async () => {
  const { found, run } = await build();
  await run();
  expect(found).toEqual(['answers', 'over']);
});

test('one that takes no connections for three seconds is unreachable', async () => {
  const { world, found, run } = await build();
  world.runtime.listen('i1', false);
  await run(5_000);
  expect(found.slice(-2)).toEqual(['unreachable', 'over']);
  expect(found).toContain('refused');
});

test('a pause by hand is found, and the resume, too', async () => {
  const { world, found, run } = await build();
  world.runtime.pauseByHand('i1');
  await run();
  world.runtime.resumeByHand('i1');
  await run();
  expect(world.events).toMatchObject([
    { type: 'paused', byHand: true },
    { type: 'resumed', byHand: true },
  ]);
  expect([world.body.state, found]).toEqual(['ready', ['over', 'over']]);
});

test('one that has gone or ended is not asked whether it answers', async () => {
  for (const happen of ['remove', 'die'] as const) {
    const { world, found, run } = await build();
    world.runtime[happen]('i1');
    await run();
    expect([world.body.state, found]).toEqual(['gone', ['over']]);
  }
});

test('one that has moved is found where it is', async () => {
  const { world, found, run } = await build();
  world.runtime.connect('i1', false);
  world.runtime.connect('i1', true);
  await run();
  expect([world.moved, found]).toEqual([1, ['answers', 'over']]);
});

test('what the runtime does not say is doubtful', async () => {
  const { world, found, run } = await build();
  world.runtime.listen('i1', false);
  world.runtime.setReachable(false);
  await run(5_000);
  expect(world.doubts).toBeGreaterThan(0);
  expect(found.slice(-2)).toEqual(['unknown', 'over']);
});

test('ends with the state that was in question', async () => {
  const { world, found, run, examination } = await build();
  world.runtime.listen('i1', false);
  world.clock.after(1_000, () => {
    world.body.become('stopping');
    examination.over();
  });
  await run(1_100);
  expect(found.at(-1)).toBe('over');
});
