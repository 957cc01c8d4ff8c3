import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LOAD_CORE } from '../bed/cores.ts';
import type { Running } from '../bed/running.ts';
import { cpuSeconds } from '../cost/cpu.ts';
import { errorsIn, type Measured, measuredIn } from './wrk-output.ts';

const run = promisify(execFile);

export interface Load {
  readonly connections: number;
  readonly seconds: number;
  readonly path?: string;
  /** A wrk script, in Lua. */
  readonly script?: string;
  readonly headers?: readonly string[];
}

export interface Sample extends Measured {
  /** Processor time of the proxy for each request, in microseconds. NaN if no process is known. */
  readonly cpuMicros: number;
}

/** Loads a proxy with wrk. @throws if an answer is not a 2xx or a connection breaks */
export async function load({ port, pid }: Running, load: Load): Promise<Sample> {
  const cpu = () => (pid === undefined ? Number.NaN : cpuSeconds(pid));
  const before = cpu();
  const output = await wrk(port, load);
  const seconds = cpu() - before;
  const errors = errorsIn(output);
  // wrk counts properly closed connections as read errors.
  if (errors !== undefined && !load.headers?.includes('Connection: close')) throw new Error(errors);
  const measured = measuredIn(output);
  return { ...measured, cpuMicros: (seconds * 1e6) / measured.requests };
}

async function wrk(
  port: number,
  { connections, seconds, path = '/', script, headers = [] }: Load,
): Promise<string> {
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`],
    ...['--latency', '--timeout', '30s'],
    ...['-H', 'Host: bench.test', ...headers.flatMap((header) => ['-H', header])],
    ...(script === undefined ? [] : ['-s', script]),
    `http://127.0.0.1:${port}${path}`,
  ]);
  return stdout;
}
