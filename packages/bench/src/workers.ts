import { readFileSync } from 'node:fs';
import { Bed } from './bed.ts';
import { cless } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { LOAD_CORE, load, PROXY_CORE } from './wrk.ts';

const ROUNDS = 5;
const COUNTS = [1, 2] as const;
/** The unit of times in /proc (`getconf CLK_TCK`, 100 on all current Linux). */
const TICKS_PER_SECOND = 100;

interface Sample {
  readonly requestsPerSecond: number;
  /** How many cores the proxy's processes used. */
  readonly cores: number;
}

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
    const samples = new Map<string, Sample[]>(bed.running.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, port, pid } of bed.running) {
        const [ticks, beganMs] = [ticksOf(pid), performance.now()];
        const { requestsPerSecond } = await load(port, { connections: 50, seconds: 5 });
        const cores = (ticksOf(pid) - ticks) / TICKS_PER_SECOND / ((performance.now() - beganMs) / 1_000);
        samples.get(name)?.push({ requestsPerSecond, cores });
      }
    }
    const rows = [...samples].map(([name, sample]) => ({
      name,
      rate: median(sample.map(({ requestsPerSecond }) => requestsPerSecond)),
      cores: median(sample.map(({ cores }) => cores)),
      perCore: median(sample.map(({ requestsPerSecond, cores }) => requestsPerSecond / cores)),
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

/** Processor time of a proxy and its workers, but not of its instances. */
function ticksOf(pid: number): number {
  const program = (of: string) =>
    readFileSync(`/proc/${of}/cmdline`, 'utf8')
      .split('\0')
      .find((part) => part.endsWith('main.js'));
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  const processes = [String(pid), ...children.filter((child) => program(child) !== undefined)];
  return processes
    .map((process) => {
      // The name, in brackets, may contain blanks.
      const fields = readFileSync(`/proc/${process}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return Number(fields[11]) + Number(fields[12]);
    })
    .reduce((sum, ticks) => sum + ticks);
}
