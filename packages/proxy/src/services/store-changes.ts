import { type Clock, messageOf } from '@cless/model';
import type { Store } from '@cless/store';
import type { Logger } from 'pino';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export interface StoreChangesOptions {
  readonly store: Pick<Store, 'onChange'>;
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes the service in as it is in the store now. */
  readonly take: (service: string) => void;
}

/**
 * Takes in what changes in the store. The change is on disk when this hears of it, so what cannot be read just then is
 * no failure of who made it: it is read again until it can be.
 */
export function followChanges({ store, log, clock, take }: StoreChangesOptions): void {
  const attempt = (service: string, retryMs: number) => {
    try {
      take(service);
    } catch (error) {
      log.error({ service }, `a change cannot be taken in, and is read again: ${messageOf(error)}`);
      clock.after(retryMs, () => attempt(service, Math.min(2 * retryMs, LONGEST_RETRY_MS)));
    }
  };
  store.onChange((service) => attempt(service, FIRST_RETRY_MS));
}
