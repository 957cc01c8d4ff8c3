import type { Clock } from '@cless/model';
import type { Logger } from 'pino';

const INTERVAL_MS = 2_000;

/** Logs once that the state directory is gone: known services are still served, but nothing can be changed any more. */
export function watchState(
  state: { readonly path: string; readonly exists: boolean },
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Logger, 'error'> },
): void {
  const look = () => {
    if (state.exists) {
      clock.after(INTERVAL_MS, look);
      return;
    }
    log.error(
      `the state directory ${state.path} is gone, and with it the services: what is known is served on, nothing can be ` +
        'changed. Put it back and start again',
    );
  };
  clock.after(INTERVAL_MS, look);
}
