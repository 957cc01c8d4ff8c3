import { systemClock } from '@cless/model';
import type { Logger } from 'pino';

/**
 * npm forwards signals that its whole process group has received already, so a second one within this time is an
 * echo. In milliseconds.
 */
const SIGNAL_ECHO_MS = 250;

/** The signals that end the process in order. SIGHUP is sent when the terminal closes. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Calls `close` at the first signal. A second signal, or the timeout, exits at once. */
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

/** How long a worker waits to see whether the primary has received the same signal, in milliseconds. */
const PRIMARY_MS = 1_000;

/**
 * Handles signals in a worker. A terminal or service manager signals all processes, and the primary decides; a signal
 * to the worker alone ends it.
 */
export function onOwnSignal(end: () => void): void {
  const handle = () => void setTimeout(end, PRIMARY_MS);
  for (const signal of SIGNALS) process.on(signal, handle);
}
