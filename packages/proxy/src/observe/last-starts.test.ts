import type { InstanceEvent } from '@cless/activator';
import { expect, test } from 'vitest';
import { LastStarts } from './last-starts.ts';

const starts = new LastStarts();
const note = (event: InstanceEvent, service = 'web', revision = 'r1') =>
  starts.note({ ...event, service, revision, instance: undefined });
const error = Object.assign(new Error('web exited with code 3'), { code: 'START_FAILED' });

test('a failure is told until a start has come out well', () => {
  expect(starts.of('web')).toBeUndefined();
  note({ type: 'starting' });
  expect(starts.of('web')).toEqual({ service: 'web', revision: 'r1', at: expect.any(String) });
  note({ type: 'start-failed', error, lastLogLines: ['no database'] });
  const failure = {
    reason: 'start-failed',
    message: 'web exited with code 3',
    lastLogLines: ['no database'],
  };
  expect(starts.of('web')).toMatchObject({ revision: 'r1', failure });
  note({ type: 'starting' }, 'web', 'r2');
  expect(starts.of('web')).toMatchObject({ revision: 'r2', failure });
  note({ type: 'ready', durationMs: 1, attempts: 1 }, 'web', 'r2');
  expect(starts.of('web')).toEqual({ service: 'web', revision: 'r2', at: expect.any(String) });
});

test('of a thousand services, those that were started last', () => {
  for (let i = 0; i < 1_500; i++) note({ type: 'start-failed', error, lastLogLines: [] }, `s${i}`);
  expect([starts.of('s499'), starts.of('s500')?.service, starts.of('s1499')?.service]).toEqual([
    undefined,
    's500',
    's1499',
  ]);
});
