import { type Logger, pino } from 'pino';
import { LogStream } from './log-stream.ts';

export interface LogOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

const STDOUT = 1;

/** The log of this process, on stdout. */
export async function openLog({ level, format }: LogOptions): Promise<{ log: Logger; stream: LogStream }> {
  // Node makes a pipe one that does not block when its stream is first asked for; nobody else writes there.
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
  const { prettyFactory } = await import('pino-pretty'); // memory for those that want it only
  const pretty = prettyFactory({
    ignore: 'pid,hostname,requestId',
    singleLine: true,
    colorize: process.stdout.isTTY,
  });
  return { write: (line) => stream.write(pretty(line)) };
}
