import type { Revision } from '@cless/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IDLE, World } from '../stories/volume-story.ts';

const SECOND = 1_000;

describe('a deploy', () => {
  let world: World;
  let first: Revision;
  let second: Revision;

  beforeEach(async () => {
    world = new World();
    first = world.source.make('web', 1, IDLE);
    second = world.source.make('web', 2, IDLE);
    world.source.serve(first);
    await world.clock.advance(0);
  });

  afterEach(() => world.close());

  const asked = async () => {
    const lease = world.lease('web');
    await world.clock.advance(100);
    return lease;
  };

  test('the old one finishes what it has, and is gone before the new one is made; requests are held, and the new one’s', async () => {
    const long = await asked();
    await world.clock.advance(5 * SECOND);
    const deployed = world.deploy(second);
    await world.clock.advance(2 * SECOND);
    const held = [world.lease('web'), world.lease('web')];
    await world.clock.advance(2 * SECOND);
    expect(world.runtime.started).toBe(1);
    long.release();
    await world.clock.advance(SECOND);
    expect(await deployed).toBe(true);
    const leases = await Promise.all(held);
    expect(new Set(leases.map(({ instanceId }) => instanceId))).toEqual(new Set(['i2']));
    expect([...world.activator.instances()].map(({ revision }) => revision.id)).toEqual(['web-2']);
    expect(world.events.filter((event) => /stopping|created/.test(event))).toEqual([
      'web-1 created',
      'web-1 stopping replaced',
      'web-2 created',
    ]);
    for (const lease of leases) lease.release();
  });

  test('of one that does not get ready: the old one is back, and answers what was held', async () => {
    (await asked()).release();
    await world.clock.advance(5 * SECOND);
    world.runtime.broken.add('web-2');
    const deployed = world.deploy(second);
    await world.clock.advance(SECOND);
    const held = [world.lease('web'), world.lease('web')];
    await world.clock.advance(10 * SECOND);
    expect(await deployed).toBe(false);
    for (const lease of await Promise.all(held)) {
      expect([...world.activator.instances()].find(({ id }) => id === lease.instanceId)?.revision).toBe(
        first,
      );
      lease.release();
    }
  });

  test('a connection that never ends is cut after half a minute', async () => {
    const endless = await asked();
    await world.clock.advance(5 * SECOND);
    const deployed = world.deploy(second);
    await world.clock.advance(29 * SECOND);
    expect(world.destroyed).toEqual([]);
    await world.clock.advance(2 * SECOND);
    expect(world.destroyed).toEqual(['i1']);
    expect(await deployed).toBe(true);
    endless.release();
  });

  test('a paused one, one that starts, and one that stops are waited for', async () => {
    (await asked()).release();
    await world.clock.advance(25 * SECOND);
    expect([...world.activator.instances()].map(({ state }) => state)).toEqual(['paused']);
    const deployed = world.deploy(second);
    await world.clock.advance(SECOND);
    expect(await deployed).toBe(true);

    world.runtime.behaviour.stopMs = SECOND;
    const [instance] = world.activator.instances();
    instance?.dismiss();
    await world.clock.advance(10);
    expect(instance?.state).toBe('stopping');
    const next = world.lease('web');
    await world.clock.advance(500);
    expect(world.runtime.started).toBe(2);
    await world.clock.advance(SECOND);
    (await next).release();
    expect(world.runtime.started).toBe(3);
  });

  test('two that are asked for in turn both get to answer', async () => {
    const answered: string[] = [];
    const both = [first, second];
    for (let i = 0; i < 40; i++) {
      const revision = both[i % 2] ?? first;
      void world.activator.lease(revision).then((lease) => {
        answered.push(revision.id);
        world.clock.after(300, () => lease.release());
      });
      await world.clock.advance(250);
    }
    await world.clock.advance(20 * SECOND);
    expect(answered.filter((id) => id === 'web-1')).toHaveLength(20);
    expect(answered.filter((id) => id === 'web-2')).toHaveLength(20);
  });

  test('those that overlap do not wait for each other', async () => {
    const [one, two] = [world.source.make('free', 1, IDLE), world.source.make('free', 2, IDLE)];
    world.source.serve(one);
    const lease = world.lease('free');
    await world.clock.advance(100);
    const deployed = world.deploy(two);
    await world.clock.advance(100);
    expect(await deployed).toBe(true);
    expect([...world.activator.instances()]).toHaveLength(2);
    (await lease).release();
  });

  test('what a predecessor left of another revision is gone before the next is made', async () => {
    (await asked()).release();
    world.runtime.behaviour.stopMs = 5 * SECOND;
    world.source.serve(second);
    await world.restart();
    const lease = world.lease('web');
    await world.clock.advance(4 * SECOND);
    expect(world.runtime.started).toBe(1);
    await world.clock.advance(2 * SECOND);
    (await lease).release();
    expect(world.runtime.started).toBe(2);
  });

  test('one that does not go holds nobody for ever: no room', async () => {
    (await asked()).release();
    await world.clock.advance(5 * SECOND);
    world.runtime.behaviour.stopMs = 1_000 * SECOND;
    const outcome = expect(world.activator.lease(second)).rejects.toMatchObject({ code: 'CAPACITY' });
    await world.clock.advance(60 * SECOND);
    await outcome;
    world.runtime.behaviour.stopMs = 10;
    await world.clock.advance(1_000 * SECOND);
  });

  test('whoever has left starts nothing when its turn comes', async () => {
    const lease = await asked();
    const left = new AbortController();
    const waiting = world.activator.lease(second, left.signal);
    waiting.catch(() => {});
    await world.clock.advance(SECOND / 2);
    left.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await world.clock.advance(5 * SECOND);
    expect([...world.activator.instances()].map(({ state, dismissed }) => [state, dismissed])).toEqual([
      ['ready', undefined],
    ]);
    lease.release();
  });
});
