import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Admission } from './admission/admission.ts';
import { WaitingRoom } from './admission/waiting-room.ts';
import { Pools } from './pools.ts';

function build() {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const closing = new AbortController().signal;
  const connections = { close: async () => {}, destroy: () => {} };
  const drive = { runtime, clock, connections, closing, probe: runtime.probe, explain: async () => '' };
  const limits = { maxStarts: 9, maxInstances: 9 };
  const admission = new Admission<Revision>({ clock, closing, ...limits, evict: () => false });
  let identified = 0;
  const pools: Pools<Revision> = new Pools<Revision>(
    { drive, admission, room: new WaitingRoom(9), maxPending: 9 },
    { tell: () => {}, doubt: () => {}, identified: () => (identified += 1) },
  );
  const revision = (service: string): Revision => ({
    service,
    id: '1',
    spec: { service, revision: '1', image: service, port: 80 },
    readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
    idle: { pauseAfterMs: undefined, stopAfterMs: 60_000 },
    stopGraceMs: 1_000,
  });
  const leased = async (of: Revision) => {
    const lease = pools.of(of).lease();
    await clock.advance(100);
    return lease;
  };
  return { clock, pools, revision, leased, identified: () => identified };
}

test('a revision has one pool, by its id and by each of its objects; an empty one is forgotten', async () => {
  const { clock, pools, revision, leased, identified } = build();
  const [web, webToo] = [revision('web'), revision('web')];
  expect([pools.known(web), pools.find(web)]).toEqual([undefined, undefined]);
  const lease = await leased(web);
  expect(pools.of(webToo)).toBe(pools.find(web));
  expect([pools.known(webToo), identified()]).toEqual([pools.find(web), 1]);
  expect(pools.instance(lease.instanceId)).toBe(lease.instance);
  lease.release();
  await clock.advance(61_000);
  expect([[...pools], pools.instance(lease.instanceId)]).toEqual([[], undefined]);
  await pools.whenEmpty();
});

test('the one least recently used goes for another; of one that others may use it is asked first', async () => {
  const { clock, pools, revision, leased } = build();
  const [one, two] = [await leased(revision('one')), await leased(revision('two'))];
  expect(pools.evict()).toBe(false);
  const asked: number[] = [];
  const quota = one.instance.lend(undefined, ({ id }) => asked.push(id));
  for (const lease of [one, two]) lease.release();
  expect([pools.evict(), asked]).toEqual([false, [quota.id]]);
  quota.returned({ leases: 1, idleMs: 0 });
  expect(pools.evict()).toBe(true);
  await clock.advance(100);
  expect([...pools.instances()]).toEqual([one.instance]);
  const empty = pools.whenEmpty();
  quota.returned({ leases: 0, idleMs: 0 });
  void one.instance.stop('shutdown');
  await clock.advance(100);
  await empty;
});
