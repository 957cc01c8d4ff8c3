import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { StopReason } from './event.ts';
import type { InstanceState } from './instance/state.ts';
import { Keeper } from './keeper.ts';

const SECOND = 1_000;

let clock: FakeClock;
let keeper: Keeper;
let isMissing: boolean;
let starts: { atMs: number; failures: number }[];

beforeEach(() => {
  clock = new FakeClock();
  isMissing = true;
  starts = [];
  keeper = new Keeper({
    clock,
    isMissing: () => isMissing,
    backoffMs: () => 0,
    start: (failures) => starts.push({ atMs: clock.now(), failures }),
  });
});

function instance(state: InstanceState, stopReason?: StopReason) {
  return { state, stopReason, dismissed: undefined };
}

test('rests 1, 2, 4 s between failed starts, and not before the first', async () => {
  keeper.begin();
  for (let i = 0; i < 4; i++) {
    await clock.advance(10 * SECOND);
    keeper.failed(new Error('no'));
  }
  expect(starts.map(({ failures }) => failures)).toEqual([0, 1, 2, 3]);
  await clock.advance(7 * SECOND);
  expect(starts).toHaveLength(4);
  await clock.advance(2 * SECOND);
  expect(starts).toHaveLength(5);
});

test('what was ready is kept; after its end it is started a second later, however often, if it lived a minute', async () => {
  for (let i = 0; i < 3; i++) {
    isMissing = false;
    const one = instance('ready');
    keeper.changed(one);
    await clock.advance(61 * SECOND);
    keeper.changed(Object.assign(one, { state: 'stopping' as const, stopReason: 'exited' as const }));
    isMissing = true;
    keeper.look();
    await clock.advance(SECOND);
    expect(starts).toHaveLength(i + 1);
  }
  expect(starts.map(({ failures }) => failures)).toEqual([1, 1, 1]);
});

test.each(['requested', 'capacity', 'replaced'] as const)(
  'stopped as %s it is not kept any more',
  async (reason) => {
    keeper.changed(instance('ready'));
    expect(keeper.active).toBe(true);
    keeper.changed(instance('stopping', reason));
    expect(keeper.active).toBe(false);
    await clock.advance(100 * SECOND);
    expect(starts).toEqual([]);
    expect(clock.timers).toBe(0);
  },
);

test('an engine that is away is tried each second', async () => {
  keeper.begin();
  for (let i = 0; i < 5; i++) {
    await clock.advance(SECOND);
    keeper.failed(Object.assign(new Error(), { code: 'ENGINE_UNREACHABLE' }));
  }
  expect(starts).toHaveLength(5);
});
