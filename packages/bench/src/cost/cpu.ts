import { readFileSync } from 'node:fs';
import { processesOf } from './processes.ts';

/** The unit of times in /proc (`getconf CLK_TCK`, 100 on all current Linux). */
const TICKS_PER_SECOND = 100;

/** Processor time that a proxy's processes have used, user and system, in seconds. */
export function cpuSeconds(pid: number): number {
  const ticks = processesOf(pid).map((process) => ticksIn(readFileSync(`/proc/${process}/stat`, 'utf8')));
  return ticks.reduce((sum, some) => sum + some) / TICKS_PER_SECOND;
}

/** User and system time, in ticks, in what /proc/PID/stat says (proc(5): fields 14 and 15). */
export function ticksIn(stat: string): number {
  // The name, in brackets, may contain blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
