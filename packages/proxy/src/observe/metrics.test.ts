import { expect, test } from 'vitest';
import { Meters, sum } from './meters.ts';
import { Metrics } from './metrics.ts';

const nothing = { instances: function* () {}, waiting: function* () {}, connected: true };
function counting(): { metrics: Metrics; meters: Meters } {
  const meters = new Meters();
  const read = async () =>
    sum([meters.read(), { ...meters.read(), services: [], problems: [], logLinesDropped: 3 }]);
  return { metrics: new Metrics({ activator: () => nothing, read }), meters };
}

const about = { service: 'web', revision: 'web-00001', instance: 'i1' };

test('requests, starts, resumes and failures are counted', async () => {
  const { metrics, meters } = counting();
  const meter = meters.of('web');
  for (const status of [200, 204, 404, 502, 101]) {
    meter.begin();
    meter.end(status);
  }
  meter.begin();
  meters.problem('backoff');
  metrics.event({ type: 'ready', durationMs: 240, attempts: 3, ...about });
  metrics.event({ type: 'resumed', durationMs: 4, byHand: false, ...about });
  metrics.event({ type: 'resumed', durationMs: 0, byHand: true, ...about });
  const error = Object.assign(new Error('x'), { code: 'NOT_READY' });
  metrics.event({ type: 'start-failed', error, lastLogLines: [], ...about });
  for (const exit of [{ exitCode: 0 }, { exitCode: 7 }, { exitCode: 137, oomKilled: true }, {}])
    metrics.event({ type: 'exited', lastLogLines: [], ...exit, ...about });
  for (const reason of ['idle', 'exited', 'vanished', 'unreachable'] as const)
    metrics.event({ type: 'stopped', reason, durationMs: 1, ...about });
  metrics.event({ type: 'out-of-memory', ...about });
  metrics.event({ type: 'restarting', failures: 1, ...about });
  const text = await metrics.text();
  for (const line of [
    'cless_instance_exits_total{service="web",reason="completed"} 1',
    'cless_instance_exits_total{service="web",reason="failed"} 2',
    'cless_instance_exits_total{service="web",reason="out-of-memory"} 1',
    'cless_instance_exits_total{service="web",reason="vanished"} 1',
    'cless_instance_exits_total{service="web",reason="unreachable"} 1',
    'cless_out_of_memory_total{service="web"} 1',
    'cless_restarts_total{service="web"} 1',
    'cless_requests_total{service="web",code="2xx"} 2',
    'cless_requests_total{service="web",code="1xx"} 1',
    'cless_requests_total{service="web",code="5xx"} 1',
    'cless_requests_in_flight{service="web"} 1',
    'cless_problems_total{type="backoff"} 1',
    'cless_cold_start_seconds_bucket{le="0.3",service="web"} 1',
    'cless_cold_start_seconds_bucket{le="0.2",service="web"} 0',
    'cless_resume_seconds_count{service="web"} 1',
    'cless_start_failures_total{service="web",reason="not-ready"} 1',
    'cless_runtime_connected 1',
    'cless_log_lines_dropped_total 3',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('the number of services with labels of their own is bounded', async () => {
  const { metrics, meters } = counting();
  for (let i = 0; i < 5_000; i++) {
    const meter = meters.of(`s${i}`);
    meter.begin();
    meter.end(200);
    metrics.event({ type: 'ready', durationMs: 1, attempts: 1, ...about, service: `s${i}` });
  }
  const text = await metrics.text();
  const labels = new Set([...text.matchAll(/service="([^"]*)"/g)].map(([, label]) => label));
  expect(labels.size).toBe(1_001);
  expect(text).toContain('cless_requests_total{service="_others",code="2xx"} 4000');
  expect(text).toContain('cless_cold_start_seconds_count{service="_others"} 4000');
});
