import { QuotaHolder, type QuotaSource } from '@cless/activator';
import type { Clock, Revision } from '@cless/model';
import type { Channel } from './channel.ts';
import { orInfinity, type PrimaryMethods, toSentUse, type WorkerMethods } from './protocol.ts';

type Primary = Pick<Channel<PrimaryMethods, WorkerMethods>, 'ask' | 'call'>;

/**
 * In a worker: gives out leases under quotas, and asks the primary's activator for all others. A warm request costs
 * no message.
 */
export class RemoteActivator extends QuotaHolder<Revision> {
  constructor(primary: Primary, clock: Clock) {
    super(sourceOf(primary), clock);
  }
}

/** The primary, as the source of quotas. Where it is gone this process is about to be, too. */
function sourceOf(primary: Primary): QuotaSource<Revision> {
  return {
    lease: (revision, keepsAwake, onAnswer) =>
      primary.ask('lease', { revision, keepsAwake }, (error, lease?) => {
        if (error !== undefined) onAnswer(error);
        else if (lease !== undefined) onAnswer(undefined, { ...lease, size: orInfinity(lease.size) });
      }),
    refill: (quota, onAnswer) => {
      primary.ask('refill', { quota }, (error, size?) => {
        if (error === undefined && size !== undefined) onAnswer(orInfinity(size));
      });
    },
    returned: (quota, use) => {
      primary.call('returned', { quota, ...toSentUse(use) }).catch(() => {});
    },
    examine: (instanceId) => primary.call('examine', { instanceId }).catch(() => {}),
  };
}
