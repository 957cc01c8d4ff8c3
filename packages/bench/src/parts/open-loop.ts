import { Bed } from '../bed/bed.ts';
import { OURS, OURS_FULL_WAY } from '../bed/cless.ts';
import { HAPROXY, NGINX } from '../bed/peers.ts';
import { compare, warmUp } from '../load/compare.ts';
import { scriptOf } from '../load/heads.ts';
import { openLoop } from '../load/open-loop.ts';
import { Rounds } from '../load/rounds.ts';
import type { Punctuality } from '../load/timetable.ts';
import { digits } from '../report/chart.ts';
import type { Row } from '../report/row.ts';

const SHARES = [0.2, 0.5, 0.8];
const SECONDS = 2;
/** p99 at half of nginx's capacity, cLess's ÷ nginx's. */
const FIGURE = 2;

/** Latencies at a fixed rate, a share of what nginx can do at most in the same run. */
export async function benchOpenLoop(): Promise<Row[]> {
  const bed = await Bed.start([OURS, OURS_FULL_WAY, NGINX, HAPROXY]);
  try {
    const script = scriptOf(bed.directory, 36);
    await warmUp(bed.running, script);
    const nginx = bed.running.filter(({ name }) => name === NGINX.name);
    const [{ requestsPerSecond: capacity = 0 } = {}] = await compare(nginx, {
      connections: 50,
      seconds: SECONDS,
      script,
    });
    const rows: Row[] = [
      { what: 'Open loop: capacity of nginx, 50 connections', value: `${capacity.toFixed(0)} requests/s` },
    ];
    for (const share of SHARES) {
      const rounds = await Rounds.of(bed.running, ({ port }) =>
        openLoop(port, Math.round(capacity * share), SECONDS),
      );
      rows.push(...bed.running.map(({ name }) => row(share, name, rounds)));
    }
    return rows;
  } finally {
    await bed.stop();
  }
}

function row(share: number, name: string, rounds: Rounds<Punctuality>): Row {
  const title = `Open loop, ${share * 100} % of nginx’s capacity: p99`;
  const of = (which: keyof Punctuality) => rounds.median(name, (sample) => sample[which]);
  const [p99, kept] = [of('p99'), of('kept')];
  const ratio = p99 / rounds.median(NGINX.name, (sample) => sample.p99);
  return {
    what: `${title}: ${name}`,
    value: [
      `${digits(p99)} ms`,
      `${ratio.toFixed(2)} × nginx`,
      `p50 ${digits(of('p50'))} ms`,
      `p99.9 ${digits(of('p999'))} ms`,
      ...(kept < 0.99 ? [`only ${(kept * 100).toFixed(0)} % answered in time`] : []),
      `load late by p99 ${digits(of('lateP99'))} ms`,
    ].join(', '),
    chart: { title, unit: 'ms', label: name, amount: p99, best: 'least' },
    ...(name === OURS.name && share === 0.5 && { target: `≤ ${FIGURE} × nginx`, reached: ratio <= FIGURE }),
  };
}
