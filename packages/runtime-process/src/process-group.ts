import { setTimeout as sleep } from 'node:timers/promises';
import { findProcess, type ProcessEntry } from './process-table.ts';
import type { ProcessRecord } from './records.ts';

/** The process of a record; undefined if it has ended, even if its pid has been reused. */
export function runningOf(record: ProcessRecord | undefined): ProcessEntry | undefined {
  if (record?.pid === undefined) return undefined;
  const entry = findProcess(record.pid);
  return entry?.startTime === record.startTime ? entry : undefined;
}

/** Sends a signal to the whole process group. Returns whether it exists. */
export function signalGroup(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (record.pid === undefined) return false;
  const entry = findProcess(record.pid);
  // If the first process of the group is gone, the others can still be killed.
  if (entry === undefined ? signal !== 'SIGKILL' : entry.startTime !== record.startTime) return false;
  try {
    process.kill(-record.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until its process has ended, or the time is over. */
export async function ended(record: ProcessRecord, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (runningOf(record) !== undefined && performance.now() < deadline) await sleep(5);
}
