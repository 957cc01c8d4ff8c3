import { describe, expect, it } from 'vitest';
import { loadRows } from './load-rows.ts';

const result = (name: string, requestsPerSecond: number, cpuMicros: number) => ({
  name,
  requestsPerSecond,
  cpuMicros,
  p50: 1,
  p99: 2,
});

describe('loadRows', () => {
  const results = [
    result('cLess', 30_000, 20),
    result('nginx', 40_000, 10),
    result('direct', 50_000, Number.NaN),
  ];

  it('compares requests per second, ours with theirs, and CPU time, theirs with ours', () => {
    const rows = loadRows('warm', results, 'cLess', { requests: { nginx: 0.8 }, cpu: { nginx: 0.5 } });
    expect(rows.map(({ what, value, target, reached }) => [what, value, target, reached])).toEqual([
      ['warm: cLess', '30000 requests/s, p50 1.00 ms, p99 2.00 ms', undefined, undefined],
      ['warm: nginx', '40000 requests/s, p50 1.00 ms, p99 2.00 ms, cLess 0.75 ×', 'cLess ≥ 0.8 ×', false],
      ['warm: direct', '50000 requests/s, p50 1.00 ms, p99 2.00 ms, cLess 0.60 ×', undefined, undefined],
      ['warm, CPU time: cLess', '20.0 µs a request', undefined, undefined],
      ['warm, CPU time: nginx', '10.0 µs a request, 0.50 × cLess', '≥ 0.5 ×', true],
    ]);
  });

  it('has a chart for each of the two', () => {
    const titles = loadRows('warm', results, 'cLess').map(({ chart }) => chart?.title);
    expect(new Set(titles)).toEqual(new Set(['warm', 'warm: CPU time per request']));
  });

  it('says so of one that could not be measured', () => {
    const [row] = loadRows('warm', [result('broken', Number.NaN, Number.NaN)], 'cLess');
    expect(row).toEqual({ what: 'warm: broken', value: 'not possible' });
  });
});
