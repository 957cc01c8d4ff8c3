import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Activator } from '../activator.ts';
import { FakeRevisions } from '../fake-revisions.ts';
import type { Lease } from '../lease.ts';
import { forkHolder } from '../stories/holder.ts';
import type { StoryWorker } from '../stories/story.ts';

let clock: FakeClock;
let runtime: FakeRuntime;
let source: FakeRevisions;
let activator: Activator<Revision>;
let running: Promise<void>;
let one: StoryWorker;
let other: StoryWorker;

function build(scale: { concurrency?: number; maxScale?: number }): void {
  source = new FakeRevisions(runtime, scale);
  activator = new Activator<Revision>({ runtime, revisions: source, clock, probe: runtime.probe });
  running = activator.run();
  const world = { clock, activator, source };
  [one, other] = [forkHolder(world, () => 1), forkHolder(world, () => 1)];
}

/** As many leases as there are, of those that are asked for. */
async function leased(worker: StoryWorker, count: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  const revision = await source.serving();
  for (let i = 0; i < count; i++) {
    const warm = worker.giver.tryLease(revision);
    if (warm !== undefined) leases.push(warm);
    else
      void worker.giver.lease(revision).then(
        (lease) => leases.push(lease),
        () => {},
      );
    await clock.advance(100);
  }
  return leases;
}

const open = () => [...activator.instances()].map(({ load }) => load);

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
});

afterEach(async () => {
  for (const worker of [one, other]) worker.die();
  const closed = activator.close();
  await clock.advance(100_000);
  await closed;
  await running;
  expect(clock.timers).toBe(0);
});

test('a holder gets half of what there is, and more before that is used up', async () => {
  build({ concurrency: 8 });
  const leases = await leased(one, 1);
  expect(open()).toEqual([4]); // one, and half of the seven others
  leases.push(...(await leased(one, 3)));
  expect([leases.length, open()]).toEqual([4, [6]]);
  leases.push(...(await leased(one, 3)));
  expect([leases.length, open()]).toEqual([7, [8]]);
  for (const lease of leases) lease.release();
});

test('all of them together have no more leases than the instance takes, and what one does not use another gets', async () => {
  build({ concurrency: 4 });
  const first = await leased(one, 1);
  const second = await leased(other, 5);
  expect([first.length, second.length]).toEqual([1, 3]);
  expect(open()).toEqual([4]);
  first[0]?.release();
  await clock.advance(100);
  expect(second).toHaveLength(4);
  second[0]?.release();
  await clock.advance(100);
  expect([second.length, open()]).toEqual([5, [4]]);
  for (const lease of second) lease.release();
});

test('what the leases of a holder took that dies is there for others', async () => {
  build({ concurrency: 2 });
  expect(await leased(one, 2)).toHaveLength(2);
  const waiting = await leased(other, 1);
  expect(waiting).toEqual([]);
  one.die();
  await clock.advance(100);
  expect(waiting).toHaveLength(1);
  for (const lease of waiting) lease.release();
});

test('several instances of a revision share the leases, the one that failed a moment ago gets none', async () => {
  build({ concurrency: 2, maxScale: 2 });
  const leases = await leased(one, 4);
  const ids = leases.map(({ instanceId }) => instanceId);
  expect(ids.toSorted()).toEqual(['i1', 'i1', 'i2', 'i2']);
  for (const lease of leases) lease.release();
  await clock.advance(100);
  const [failed] = await leased(one, 1);
  void failed?.examine();
  await clock.advance(100);
  const [next] = await leased(one, 1);
  expect(next?.instanceId).not.toBe(failed?.instanceId);
  for (const lease of [failed, next]) lease?.release();
});

test('without a limit a quota has none, and warm leases cost nothing', async () => {
  build({});
  const leases = await leased(one, 1);
  const revision = await source.serving();
  for (let i = 0; i < 1_000; i++)
    leases.push(...[one.giver.tryLease(revision)].filter((lease) => lease !== undefined));
  expect(leases).toHaveLength(1_001);
  expect(open()).toEqual([1]);
  for (const lease of leases) lease.release();
});
