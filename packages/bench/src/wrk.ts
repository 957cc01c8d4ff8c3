import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Proxies have one core, load and upstream the other. */
export const [PROXY_CORE, LOAD_CORE] = ['0', '1'];
const SECONDS = 3;
const WARM_UP_SECONDS = 1;

export interface Load {
  readonly connections: number;
  readonly path?: string;
  /** A wrk script, in Lua. */
  readonly script?: string;
  readonly headers?: readonly string[];
  readonly seconds?: number;
}

export interface Measured {
  readonly requestsPerSecond: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Loads a port with wrk, after a second of warm-up. @throws if an answer is not a 2xx or a connection breaks */
export async function load(port: number, load: Load): Promise<Measured> {
  await wrk(port, { ...load, seconds: WARM_UP_SECONDS });
  const said = await wrk(port, load);
  const errors = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(said);
  // wrk counts properly closed connections as read errors.
  if (errors !== null && !load.headers?.includes('Connection: close')) throw new Error(errors[0]);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(said)?.[1]),
    p50: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(said)),
    p99: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(said)),
  };
}

async function wrk(
  port: number,
  { connections, path = '/', script, headers = [], seconds = SECONDS }: Load,
): Promise<string> {
  const { stdout } = await run('taskset', [
    ...[
      '-c',
      LOAD_CORE,
      'wrk',
      '-t',
      '1',
      '-c',
      String(connections),
      '-d',
      `${seconds}s`,
      '--latency',
      '--timeout',
      '30s',
    ],
    ...['-H', 'Host: bench.test', ...headers.flatMap((header) => ['-H', header])],
    ...(script === undefined ? [] : ['-s', script]),
    `http://127.0.0.1:${port}${path}`,
  ]);
  return stdout;
}

function milliseconds(match: RegExpExecArray | null): number {
  const [, amount, unit = 'ms'] = match ?? [];
  return Number(amount) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? 1);
}
