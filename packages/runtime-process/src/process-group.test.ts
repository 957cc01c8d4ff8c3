import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ended, runningOf, signalGroup } from './process-group.ts';
import { findProcess } from './process-table.ts';
import type { ProcessRecord } from './records.ts';

let child: ChildProcess;
let record: ProcessRecord;

beforeEach(async () => {
  child = spawn('sh', ['-c', 'sleep 60 & echo; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (child.stdout === null || child.pid === undefined) throw new Error('not started');
  await once(child.stdout, 'data');
  const { startTime = '' } = findProcess(child.pid) ?? {};
  record = { id: 'a1', service: 'web', revision: 'r', spec: 's', port: 80, pid: child.pid, startTime };
});
afterEach(() => {
  signalGroup(record, 'SIGKILL');
});

test('its process is the one of its pid that was started then', () => {
  expect(runningOf(record)).toEqual({ startTime: record.startTime, stopped: false });
  expect(runningOf({ ...record, startTime: 'another' })).toBeUndefined();
  const { pid: _, ...unstarted } = record;
  expect(runningOf(unstarted)).toBeUndefined();
  expect(runningOf(undefined)).toBeUndefined();
});

test('a signal reaches the group, and no stranger who has the pid now', async () => {
  expect(signalGroup({ ...record, startTime: 'another' }, 'SIGKILL')).toBe(false);
  expect(runningOf(record)).toBeDefined();
  const { pid: _, ...unstarted } = record;
  expect(signalGroup(unstarted, 'SIGKILL')).toBe(false);
  const gone = once(child, 'exit');
  expect(signalGroup(record, 'SIGTERM')).toBe(true);
  expect(await gone).toEqual([null, 'SIGTERM']);
});

test('of a group whose first process is gone the others can be killed, and nothing else', async () => {
  const gone = once(child, 'exit');
  process.kill(record.pid ?? 0, 'SIGKILL');
  await gone;
  expect(runningOf(record)).toBeUndefined();
  expect(signalGroup(record, 'SIGTERM')).toBe(false);
  expect(signalGroup(record, 'SIGKILL')).toBe(true);
});

test('its end is waited for, and not for ever', async () => {
  await ended(record, 10);
  expect(runningOf(record)).toBeDefined();
  process.kill(-(record.pid ?? 0), 'SIGKILL');
  await once(child, 'exit');
  await ended(record, 60_000);
  expect(runningOf(record)).toBeUndefined();
});
