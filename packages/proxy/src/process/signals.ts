import { systemClock } from '@cless/model';
import type { Logger } from 'pino';

/** npm passes a signal on that its whole process group has got already: the second within this time is the first one's echo. */
const SIGNAL_ECHO_MS = 250;

/** What ends a process in order; SIGHUP, too: it comes when the terminal closes. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The first signal closes, a second one exits now, and so does the time when it is up. */
export function onSignal(log: Logger, timeoutMs: number, close: (signal: string) => Promise<void>): void {
  let firstAtMs: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      systemClock.after(timeoutMs, () => {
        log.error('what is left takes too long: exiting now; the next start looks after it');
        process.exit(0);
      });
      close(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal(error);
          process.exit(1);
        },
      );
    } else if (performance.now() - firstAtMs > SIGNAL_ECHO_MS) {
      log.warn(`${signal} again: exiting now`);
      process.exit(130);
    }
  };
  for (const signal of SIGNALS) process.on(signal, handle);
}

/** So long a worker waits whether its primary has got the same signal. */
const PRIMARY_MS = 1_000;

/**
 * For a worker. A terminal or a service manager sends a signal to all processes, and the primary says what is to be done;
 * one that was meant for the worker alone ends it.
 */
export function onOwnSignal(end: () => void): void {
  const handle = () => void setTimeout(end, PRIMARY_MS);
  for (const signal of SIGNALS) process.on(signal, handle);
}
