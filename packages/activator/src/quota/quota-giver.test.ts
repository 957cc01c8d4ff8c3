import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { expect, test } from 'vitest';
import { Activator } from '../activator.ts';
import { FakeRevisions } from '../fake-revisions.ts';
import type { QuotaUse } from './quota.ts';
import { QuotaGiver, type QuotaLease } from './quota-giver.ts';

test('tells the holder of a quota before it can be revoked; one that is lost has returned it', async () => {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const revisions = new FakeRevisions(runtime, { concurrency: 9 });
  const activator = new Activator<Revision>({ runtime, revisions, clock, probe: runtime.probe });
  const running = activator.run();
  const asked = activator.lease(await revisions.serving());
  await clock.advance(100);

  const told: string[] = [];
  const given: QuotaLease[] = [];
  const giver = new QuotaGiver<Revision>(async (quota): Promise<QuotaUse> => {
    told.push(`revoked ${quota === given[0]?.quota}`);
    throw new Error('the holder is gone');
  });
  const lease = await asked;
  giver.give(lease, (one) => {
    told.push('given');
    given.push(one);
    lease.instance.revokeQuotas();
  });
  expect(given).toMatchObject([{ size: 5, isDraining: false, instanceId: lease.instanceId }]);
  expect(told).toEqual(['given', 'revoked true']);
  await clock.advance(0);
  expect(lease.instance.load).toBe(0);

  expect(giver.refill(given[0]?.quota ?? 0)).toBe(0);
  const more = activator.tryLease(await revisions.serving());
  if (more !== undefined) giver.give(more, (one) => given.push(one));
  expect(giver.refill(given[1]?.quota ?? 0)).toBe(7);
  giver.close();
  expect(lease.instance.load).toBe(0);

  const closed = activator.close();
  await clock.advance(1_000);
  await closed;
  await running;
  expect(clock.timers).toBe(0);
});
