import type { Revision } from '@cless/model';
import { QuotaGiver } from '../quota/quota-giver.ts';
import { QuotaHolder } from '../quota/quota-holder.ts';
import type { ForkWorker } from './story.ts';

/** A holder of quotas beside the activator. Messages between them are delayed, but stay in order. */
export const forkHolder: ForkWorker = ({ clock, activator }, latencyMs) => {
  let isAlive = true;
  const line = () => {
    let lastMs = 0;
    return (arrive: () => void) => {
      lastMs = Math.max(lastMs, clock.now() + latencyMs());
      clock.after(lastMs - clock.now(), () => isAlive && arrive());
    };
  };
  const [toGiver, toHolder] = [line(), line()];
  /** Functions that cancel unanswered calls. */
  const open = new Set<() => void>();

  const giver = new QuotaGiver<Revision>(
    (quota) =>
      new Promise((resolve) => {
        toHolder(() => {
          const use = holder.revoke(quota);
          toGiver(() => resolve(use));
        });
      }),
  );
  const holder = new QuotaHolder<Revision>(
    {
      lease: (revision, keepsAwake, onAnswer) => {
        const asked = new AbortController();
        const lose = () => {
          const error = Object.assign(new Error('gone'), { code: 'CHANNEL_CLOSED' });
          asked.abort(error);
          onAnswer(error);
        };
        open.add(lose);
        const fail = (error: Error) => {
          if (open.delete(lose)) onAnswer(error);
        };
        toGiver(() => {
          activator.lease(revision, asked.signal, keepsAwake).then(
            (lease) => {
              if (asked.signal.aborted) {
                lease.release();
                toHolder(() => fail(asked.signal.reason));
                return;
              }
              giver.give(lease, (given) => {
                toHolder(() => {
                  if (open.delete(lose)) onAnswer(undefined, given);
                });
              });
            },
            (error: Error) => toHolder(() => fail(error)),
          );
        });
        return () => toGiver(() => asked.abort(new Error('nobody waits any more')));
      },
      refill: (quota, onAnswer) => {
        toGiver(() => {
          const size = giver.refill(quota);
          toHolder(() => onAnswer(size));
        });
      },
      returned: (quota, use) => toGiver(() => giver.returned(quota, use)),
      examine: async (instanceId) => {
        await activator.instance(instanceId)?.examine();
      },
    },
    clock,
  );
  const leases: ReturnType<ForkWorker>['leases'] = new Set();
  return {
    giver: holder,
    leases,
    get instances() {
      return holder.use().length;
    },
    die: () => {
      isAlive = false;
      leases.clear();
      for (const lose of open) lose();
      open.clear();
      giver.close();
    },
  };
};
