import { Bed } from '../bed/bed.ts';
import { OURS, OURS_FULL_WAY, OURS_HTTP_PROXY_3 } from '../bed/cless.ts';
import { CADDY, GO, GO_TUNED, HAPROXY, HTTP_PROXY_3, NGINX } from '../bed/peers.ts';
import type { Running } from '../bed/running.ts';
import { syscallsDuring } from '../cost/syscalls.ts';
import { compare, warmUp } from '../load/compare.ts';
import { scriptOf } from '../load/heads.ts';
import { load } from '../load/wrk.ts';
import { type LoadResult, loadRows } from '../report/load-rows.ts';
import type { Row } from '../report/row.ts';

const CONNECTIONS = 50;
const SECONDS = 2;
const NGINX_BY_CPU = { [NGINX.name]: 0.6 };
const RATES = { [HTTP_PROXY_3.name]: 5, [CADDY.name]: 3, [GO_TUNED.name]: 3 };
const SYSCALLS = 4.5;
const ADDED_MS = 0.1;

/** Warm small answers: requests per second of one core, CPU time and system calls per request, added latency. */
export async function benchWarm(): Promise<Row[]> {
  const peers = [OURS, OURS_FULL_WAY, OURS_HTTP_PROXY_3, HTTP_PROXY_3, NGINX, CADDY, HAPROXY, GO, GO_TUNED];
  const bed = await Bed.start(peers);
  try {
    const everybody = [...bed.running, bed.direct];
    const [small, browser] = [scriptOf(bed.directory, 36), scriptOf(bed.directory, 740)];
    await warmUp(bed.running, small);
    const of = (connections: number, seconds: number, script: string) =>
      compare(everybody, { connections, seconds, script });
    const rows = [
      ...loadRows('Warm, heads of 36 bytes', await of(CONNECTIONS, SECONDS, small), OURS.name, {
        requests: RATES,
        cpu: NGINX_BY_CPU,
      }),
      ...loadRows('Warm, heads of 740 bytes', await of(CONNECTIONS, SECONDS, browser), OURS.name, {
        cpu: NGINX_BY_CPU,
      }),
      addedLatency(await of(1, 1, small), bed.direct.name),
    ];
    for (const one of bed.running) rows.push(await syscalls(one, small));
    return rows;
  } finally {
    await bed.stop();
  }
}

function addedLatency(results: readonly LoadResult[], direct: string): Row {
  const p50 = (of: string) => results.find(({ name }) => name === of)?.p50 ?? Number.NaN;
  const added = (of: string) => `${(p50(of) - p50(direct)).toFixed(3)} ms`;
  return {
    what: 'Added latency of a warm request on one connection',
    value: `p50 ${added(OURS.name)}; nginx ${added(NGINX.name)}`,
    target: `p50 ≤ ${ADDED_MS} ms`,
    reached: p50(OURS.name) - p50(direct) <= ADDED_MS,
  };
}

async function syscalls(one: Running, script: string): Promise<Row> {
  let requests = Number.NaN;
  const counts = await syscallsDuring(one.pid ?? 0, async () => {
    requests = (await load(one, { connections: CONNECTIONS, seconds: 1, script })).requests;
  });
  const each = [...counts].map(([name, count]) => ({ name, count: count / requests }));
  const all = each.reduce((sum, { count }) => sum + count, 0);
  const most = each.filter(({ count }) => count >= 0.05).sort((a, b) => b.count - a.count);
  const title = 'System calls per warm request';
  return {
    what: `${title}: ${one.name}`,
    value: `${all.toFixed(2)} (${most.map(({ name, count }) => `${name} ${count.toFixed(2)}`).join(', ')})`,
    chart: { title, unit: '', label: one.name, amount: all, best: 'least' },
    ...(one.name === OURS.name && { target: `≤ ${SYSCALLS}`, reached: all <= SYSCALLS }),
  };
}
