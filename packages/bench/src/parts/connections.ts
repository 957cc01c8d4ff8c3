import { Bed } from '../bed/bed.ts';
import { OURS, OURS_FULL_WAY } from '../bed/cless.ts';
import { CADDY, GO_TUNED, HAPROXY, NGINX } from '../bed/peers.ts';
import { compare, warmUp } from '../load/compare.ts';
import { scriptOf } from '../load/heads.ts';
import { digits } from '../report/chart.ts';
import type { LoadResult } from '../report/load-rows.ts';
import type { Row } from '../report/row.ts';

const COUNTS = [500, 2_000];
const SECONDS = 3;
/** p99 at 500 connections, cLess's ÷ nginx's. */
const FIGURE = 4;

/** Warm small answers over many connections, which all come at once: latencies and requests per second. */
export async function benchConnections(): Promise<Row[]> {
  const bed = await Bed.start([OURS, OURS_FULL_WAY, NGINX, CADDY, HAPROXY, GO_TUNED]);
  try {
    const script = scriptOf(bed.directory, 36);
    await warmUp(bed.running, script);
    const rows: Row[] = [];
    for (const connections of COUNTS) {
      const results = await compare(bed.running, { connections, seconds: SECONDS, script });
      rows.push(...results.map((result) => row(connections, result, results)));
    }
    return rows;
  } finally {
    await bed.stop();
  }
}

function row(
  connections: number,
  { name, requestsPerSecond, p50, p99 }: LoadResult,
  results: readonly LoadResult[],
): Row {
  const title = `Warm, ${connections} connections: p99`;
  if (Number.isNaN(p99)) return { what: `${title}: ${name}`, value: 'not possible' };
  const nginx = results.find((result) => result.name === NGINX.name)?.p99 ?? Number.NaN;
  const ratio = p99 / nginx;
  return {
    what: `${title}: ${name}`,
    value: `${digits(p99)} ms (p50 ${digits(p50)} ms), ${ratio.toFixed(2)} × nginx; ${requestsPerSecond.toFixed(0)} requests/s`,
    chart: { title, unit: 'ms', label: name, amount: p99, best: 'least' },
    ...(name === OURS.name &&
      connections === 500 && { target: `≤ ${FIGURE} × nginx`, reached: ratio <= FIGURE }),
  };
}
