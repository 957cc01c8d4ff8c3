import { closeSync, openSync } from 'node:fs';
import type { Clock } from '@cless/model';
import type { Logger } from 'pino';

export interface DescriptorsOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Opens something, and closes it. For tests. */
  readonly probe?: () => void;
}

const INTERVAL_MS = 1_000;
/** How often to log it while it lasts, in milliseconds. */
const TELL_AGAIN_MS = 60_000;

/**
 * Logs when no file descriptors are left, and when there are some again. Node does not report it: it accepts such
 * connections and closes them at once.
 */
export function watchDescriptors({ log, clock, probe = openAndClose }: DescriptorsOptions): void {
  let toldMs: number | undefined;
  const look = () => {
    clock.after(INTERVAL_MS, look);
    try {
      probe();
      if (toldMs !== undefined) log.warn('file descriptors are free again');
      toldMs = undefined;
    } catch (error) {
      if (!['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
      if (toldMs !== undefined && clock.now() - toldMs < TELL_AGAIN_MS) return;
      toldMs = clock.now();
      log.error(
        'no file descriptors are left: new connections are closed at once. Raise the limit (LimitNOFILE= of systemd, ulimit -n)',
      );
    }
  };
  look();
}

function openAndClose(): void {
  closeSync(openSync('/dev/null', 'r'));
}
