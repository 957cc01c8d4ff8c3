import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Proxies have one core, load and upstream the other. */
export const [PROXY_CORE, LOAD_CORE] = ['0', '1'];
const SECONDS = 3;

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
  /** Answers that were no 2xx, and connections that broke. */
  readonly errors: number;
}

/** Loads a port with wrk. */
export async function load(
  port: number,
  { connections, path = '/', script, headers = [], seconds = SECONDS }: Load,
): Promise<Measured> {
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency'],
    ...['-H', 'Host: bench.test', ...headers.flatMap((header) => ['-H', header])],
    ...(script === undefined ? [] : ['-s', script]),
    `http://127.0.0.1:${port}${path}`,
  ]);
  const bad = [...stdout.matchAll(/Non-2xx or 3xx responses: (\d+)|(?:connect|read|write|timeout) (\d+)/g)];
  return {
    requestsPerSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1]),
    p50: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    errors: bad.reduce((sum, [, status, socket]) => sum + Number(status ?? socket ?? 0), 0),
  };
}

function milliseconds(match: RegExpExecArray | null): number {
  const [, amount, unit = 'ms'] = match ?? [];
  return Number(amount) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? 1);
}
