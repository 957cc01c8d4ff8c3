import { digits } from './chart.ts';
import type { Row } from './row.ts';

/** What one load took of one proxy. */
export interface LoadResult {
  readonly name: string;
  readonly requestsPerSecond: number;
  /** Of the proxy, for each request, in microseconds; NaN if it is not known. */
  readonly cpuMicros: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** The least that cLess must reach of each peer, by the peer's name. */
export interface LoadFigures {
  /** Its requests per second ÷ the peer's. */
  readonly requests?: Readonly<Record<string, number>>;
  /** The peer's CPU time per request ÷ its own. */
  readonly cpu?: Readonly<Record<string, number>>;
}

/** The rows of one load: requests per second of each, then CPU time per request of each, both beside cLess. */
export function loadRows(
  title: string,
  results: readonly LoadResult[],
  ours: string,
  figures: LoadFigures = {},
): Row[] {
  const our = results.find(({ name }) => name === ours);
  const requests = results.map((result): Row => {
    const { name, requestsPerSecond: rate, p50, p99 } = result;
    if (Number.isNaN(rate)) return { what: `${title}: ${name}`, value: 'not possible' };
    const ratio = (our?.requestsPerSecond ?? Number.NaN) / rate;
    return {
      what: `${title}: ${name}`,
      value: `${rate.toFixed(0)} requests/s, p50 ${digits(p50)} ms, p99 ${digits(p99)} ms${name === ours ? '' : `, cLess ${ratio.toFixed(2)} ×`}`,
      chart: { title, unit: 'requests/s', label: name, amount: rate },
      ...figure('cLess ', ratio, figures.requests?.[name]),
    };
  });
  const cpu = results
    .filter(({ cpuMicros }) => !Number.isNaN(cpuMicros))
    .map(({ name, cpuMicros }): Row => {
      const ratio = cpuMicros / (our?.cpuMicros ?? Number.NaN);
      return {
        what: `${title}, CPU time: ${name}`,
        value: `${digits(cpuMicros)} µs a request${name === ours ? '' : `, ${ratio.toFixed(2)} × cLess`}`,
        chart: {
          title: `${title}: CPU time per request`,
          unit: 'µs',
          label: name,
          amount: cpuMicros,
          best: 'least',
        },
        ...figure('', ratio, figures.cpu?.[name]),
      };
    });
  return [...requests, ...cpu];
}

function figure(who: string, ratio: number, least: number | undefined): Pick<Row, 'target' | 'reached'> {
  return least === undefined ? {} : { target: `${who}≥ ${least} ×`, reached: ratio >= least };
}
