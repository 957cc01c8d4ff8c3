import { type Logger, pino } from 'pino';
import { LogStream } from './log-stream.ts';

export interface LogOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

const STDOUT = 1;

/** Opens the log of this process on stdout. */
export async function openLog({ level, format }: LogOptions): Promise<{ log: Logger; stream: LogStream }> {
  // Accessing the stream makes Node set a pipe to non-blocking. Nobody else writes to it.
  process.stdout.on('error', () => {});
  const stream = new LogStream({
    fd: STDOUT,
    onRecovered: (lost) => log.warn({ lost }, `${lost} lines are missing here: the log could not be written`),
  });
  process.once('exit', () => stream.flushSync());
  const log = pino({ level }, format === 'json' ? stream : await prettied(stream));
  return { log, stream };
}

async function prettied(stream: LogStream): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import('pino-pretty'); // loaded only if used, since it takes memory
  const pretty = prettyFactory({
    ignore: 'pid,hostname,requestId',
    singleLine: true,
    colorize: process.stdout.isTTY,
  });
  return { write: (line) => stream.write(pretty(line)) };
}
