/** What wrk measured. */
export interface Measured {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** In milliseconds, from sending a request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
}

/** Reads what `wrk --latency` prints. */
export function measuredIn(output: string): Measured {
  return {
    requests: Number(/(\d+) requests in/.exec(output)?.[1]),
    requestsPerSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1]),
    p50: milliseconds(/50%\s+([\d.]+)(\w+)/.exec(output)),
    p99: milliseconds(/99%\s+([\d.]+)(\w+)/.exec(output)),
  };
}

/** What wrk says of answers that were not good and of connections that broke; undefined if there were none. */
export function errorsIn(output: string): string | undefined {
  return /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(output)?.[0];
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function milliseconds(match: RegExpExecArray | null): number {
  const [, amount, unit = ''] = match ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
}
