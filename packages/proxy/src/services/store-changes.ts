import { type Clock, messageOf } from '@cless/model';
import type { Store } from '@cless/store';
import type { Logger } from 'pino';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export interface StoreChangesOptions {
  readonly store: Pick<Store, 'onChange'>;
  readonly log: Logger;
  readonly clock: Clock;
  /** Reads the service again from the store. */
  readonly take: (service: string) => void;
}

/**
 * Follows changes of the store. A change is on disk when it is reported, so failing to read it is not the fault of
 * whoever made it: reading is tried again until it succeeds.
 *
 * @returns ends it
 */
export function followChanges({ store, log, clock, take }: StoreChangesOptions): () => void {
  const attempt = (service: string, retryMs: number) => {
    try {
      take(service);
    } catch (error) {
      log.error({ service }, `a change cannot be taken in, and is read again: ${messageOf(error)}`);
      clock.after(retryMs, () => attempt(service, Math.min(2 * retryMs, LONGEST_RETRY_MS)));
    }
  };
  return store.onChange((service) => attempt(service, FIRST_RETRY_MS));
}
