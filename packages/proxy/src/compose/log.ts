import { systemClock } from '@cless/model';
import type { Logger } from 'pino';
import { openLog } from '../observe/log.ts';
import { watchDescriptors } from '../process/descriptors.ts';
import { LastResort } from '../process/last-resort.ts';
import type { Settings } from '../settings/table.ts';

/** On top of the time for what is open, for all else at the end. In milliseconds. */
export const CLOSING_MS = 1_000;

/** How this process tells what happens in it. */
export interface Telling {
  readonly log: Logger;
  readonly logLinesDropped: () => number;
  readonly lastResort: LastResort;
}

/** Opens the log; what nobody expects to happen to the process goes there, too, from now on. */
export async function composeLog(settings: Settings): Promise<Telling> {
  const { log, stream } = await openLog({ level: settings['log-level'], format: settings['log-format'] });
  const lastResort = new LastResort({
    log,
    clock: systemClock,
    exit: (code) => process.exit(code),
    timeoutMs: settings['drain-timeout'] + CLOSING_MS,
  });
  process.on('uncaughtException', (error) => lastResort.handle(error)); // rejections that nobody hears of among them
  watchDescriptors({ log, clock: systemClock });
  return { log, lastResort, logLinesDropped: () => stream.dropped };
}
