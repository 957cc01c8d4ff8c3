import type { Logger } from 'pino';

/** npm passes a signal on that its whole process group has got already: the second within this time is the first one's echo. */
const SIGNAL_ECHO_MS = 250;

/** The first signal closes, a second one exits now. */
export function onSignal(log: Logger, close: (signal: string) => Promise<void>): void {
  let firstAtMs: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
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
  process.on('SIGTERM', handle).on('SIGINT', handle);
}

/** So long a worker waits whether its primary has got the same signal. */
const PRIMARY_MS = 1_000;

/**
 * For a worker. A terminal or a service manager sends a signal to all processes, and the primary says what is to be done;
 * one that was meant for the worker alone ends it.
 */
export function onOwnSignal(end: () => void): void {
  const handle = () => void setTimeout(end, PRIMARY_MS);
  process.on('SIGTERM', handle).on('SIGINT', handle);
}
