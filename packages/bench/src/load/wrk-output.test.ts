import { describe, expect, it } from 'vitest';
import { errorsIn, measuredIn } from './wrk-output.ts';

const output = (p50: string, p99: string, more = '') => `Running 2s test @ http://127.0.0.1:18801/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  350.01us   9.98ms   96.50%
    Req/Sec    49.50k     1.50k   51.00k    75.00%
  Latency Distribution
     50%  ${p50}
     75%    1.01ms
     90%    1.10ms
     99%  ${p99}
  98765 requests in 2.00s, 16.20MB read
${more}Requests/sec:  49337.12
Transfer/sec:      8.10MB
`;

describe('the output of wrk', () => {
  it('has requests, their rate and latencies', () => {
    expect(measuredIn(output('0.98ms', '2.11ms'))).toEqual({
      requests: 98_765,
      requestsPerSecond: 49_337.12,
      p50: 0.98,
      p99: 2.11,
    });
  });

  it('has latencies in units from microseconds to minutes', () => {
    expect(measuredIn(output('850.00us', '2.20s'))).toMatchObject({ p50: 0.85, p99: 2_200 });
    expect(measuredIn(output('1.00ms', '0.50m'))).toMatchObject({ p99: 30_000 });
  });

  it('tells what went wrong, if anything', () => {
    expect(errorsIn(output('1.00ms', '1.00ms'))).toBeUndefined();
    const sockets = 'Socket errors: connect 0, read 3, write 0, timeout 0';
    expect(errorsIn(output('1.00ms', '1.00ms', `  ${sockets}\n`))).toBe(sockets);
    const answers = 'Non-2xx or 3xx responses: 12';
    expect(errorsIn(output('1.00ms', '1.00ms', `  ${answers}\n`))).toBe(answers);
  });
});
