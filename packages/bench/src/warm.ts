import { Bed } from './bed.ts';
import { OURS } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { load, type Measured } from './wrk.ts';

const ROUNDS = 3;
const CONNECTIONS = [1, 50, 500];
/** The ratio to reach against each peer, at 50 connections. */
const FIGURES: Readonly<Record<string, number>> = {
  'http-proxy-3 alone': 2.5,
  Caddy: 2,
  'Go’s ReverseProxy': 3,
  nginx: 0.3,
};

/** Warm small answers: requests per second of one core, against peers, in rounds that alternate. */
export async function benchWarm(): Promise<Row[]> {
  const bed = await Bed.start();
  try {
    const everybody = [...bed.running, bed.direct];
    const measured = new Map<string, Measured[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const connections of CONNECTIONS) {
        for (const { name, port } of everybody) {
          const key = `${name} ${connections}`;
          measured.set(key, [...(measured.get(key) ?? []), await load(port, { connections })]);
        }
      }
    }
    const of = (name: string, connections: number, what: keyof Measured) =>
      median((measured.get(`${name} ${connections}`) ?? []).map((one) => one[what]));
    const rows = CONNECTIONS.flatMap((connections) =>
      everybody.map(({ name }): Row => {
        const rate = of(name, connections, 'requestsPerSecond');
        const ratio = of(OURS, connections, 'requestsPerSecond') / rate;
        const figure = connections === 50 ? FIGURES[name] : undefined;
        const p = (what: 'p50' | 'p99') => of(name, connections, what).toFixed(2);
        return {
          what: `warm, ${connections} connections: ${name}`,
          value: `${rate.toFixed(0)} requests/s, p50 ${p('p50')} ms, p99 ${p('p99')} ms${name === OURS ? '' : `, cLess ${ratio.toFixed(2)} ×`}`,
          chart: {
            title: `Warm small answers, ${connections} connections`,
            unit: 'requests/s',
            label: name,
            amount: rate,
          },
          ...(figure !== undefined && { target: `≥ ${figure} ×`, reached: ratio >= figure }),
        };
      }),
    );
    const added = of(OURS, 1, 'p50') - of('direct', 1, 'p50');
    rows.push({
      what: 'added latency of a warm request on one connection',
      value: `p50 ${added.toFixed(3)} ms`,
      target: 'p50 ≤ 0.2 ms',
      reached: added <= 0.2,
    });
    return rows;
  } finally {
    await bed.stop();
  }
}
