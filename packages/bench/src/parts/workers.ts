import { Bed } from '../bed/bed.ts';
import { cless } from '../bed/cless.ts';
import { LOAD_CORE, PROXY_CORE } from '../bed/cores.ts';
import { Rounds } from '../load/rounds.ts';
import { load } from '../load/wrk.ts';
import type { Row } from '../report/row.ts';

const COUNTS = [1, 2] as const;
const SECONDS = 5;

/**
 * Throughput with one and two workers. Both cores are shared with the upstream and the load, so this measures how
 * much CPU the proxy got and calculates its throughput with whole cores.
 */
export async function benchWorkers(): Promise<Row[]> {
  const peers = COUNTS.map((workers) =>
    cless(`cLess with ${workers} worker${workers === 1 ? '' : 's'}`, { workers }),
  );
  const bed = await Bed.start(peers, `${PROXY_CORE},${LOAD_CORE}`);
  try {
    const rounds = await Rounds.of(bed.running, (one) => load(one, { connections: 50, seconds: SECONDS }));
    const rows = bed.running.map(({ name }) => ({
      name,
      rate: rounds.median(name, ({ requestsPerSecond }) => requestsPerSecond),
      cores: rounds.median(name, ({ requests, cpuMicros }) => (requests * cpuMicros) / 1e6 / SECONDS),
      perCore: rounds.median(name, ({ cpuMicros }) => 1e6 / cpuMicros),
    }));
    const [one, two] = rows;
    if (one === undefined || two === undefined) throw new Error('a proxy did not start');
    const times = (a: number, b: number) => `${(a / b).toFixed(2)} ×`;
    return [
      ...rows.map(
        ({ name, rate, cores }): Row => ({
          what: `warm, 50 connections, two cores for all: ${name}`,
          value: `${rate.toFixed(0)} requests/s with ${cores.toFixed(2)} cores`,
          chart: { title: 'Workers, 50 connections', unit: 'requests/s', label: name, amount: rate },
        }),
      ),
      {
        what: 'throughput from 1 to 2 workers',
        value: `${times(two.rate, one.rate)} as it is; ${times(two.perCore, one.perCore)} for each core that the proxy had, so ${times(2 * two.perCore, one.perCore)} with a core for each worker`,
      },
    ];
  } finally {
    await bed.stop();
  }
}
