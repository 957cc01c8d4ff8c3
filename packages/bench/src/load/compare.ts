import type { Running } from '../bed/running.ts';
import type { LoadResult } from '../report/load-rows.ts';
import { Rounds } from './rounds.ts';
import { type Load, load } from './wrk.ts';

/** Loads each in alternating rounds; gives medians. */
export async function compare(everybody: readonly Running[], wanted: Load): Promise<LoadResult[]> {
  const rounds = await Rounds.of(everybody, (one) => load(one, wanted));
  return everybody.map(({ name }) => ({
    name,
    requestsPerSecond: rounds.median(name, ({ requestsPerSecond }) => requestsPerSecond),
    cpuMicros: rounds.median(name, ({ cpuMicros }) => cpuMicros),
    p50: rounds.median(name, ({ p50 }) => p50),
    p99: rounds.median(name, ({ p99 }) => p99),
  }));
}

/** So that nobody is measured while its code is still being compiled. */
export async function warmUp(everybody: readonly Running[], script: string): Promise<void> {
  for (const one of everybody) await load(one, { connections: 50, seconds: 1, script });
}
