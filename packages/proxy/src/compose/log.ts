import { systemClock } from '@cless/model';
import type { Logger } from 'pino';
import { openLog } from '../observe/log.ts';
import { watchDescriptors } from '../process/descriptors.ts';
import { LastResort } from '../process/last-resort.ts';
import type { Settings } from '../settings/table.ts';

/** How long everything else at the end may take, in milliseconds, on top of the drain timeout. */
export const CLOSING_MS = 1_000;

/** How this process reports what happens in it. */
export interface Telling {
  readonly log: Logger;
  readonly logLinesDropped: () => number;
  readonly lastResort: LastResort;
}

/** Opens the log, and from now on logs unexpected errors of the process. */
export async function composeLog(settings: Settings): Promise<Telling> {
  const { log, stream } = await openLog({ level: settings['log-level'], format: settings['log-format'] });
  const lastResort = new LastResort({
    log,
    clock: systemClock,
    exit: (code) => process.exit(code),
    timeoutMs: settings['drain-timeout'] + CLOSING_MS,
  });
  process.on('uncaughtException', (error) => lastResort.handle(error)); // including unhandled rejections
  watchDescriptors({ log, clock: systemClock });
  return { log, lastResort, logLinesDropped: () => stream.dropped };
}
