import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process of the system. Pids are reused; a pid and a start time identify one process. */
export interface ProcessEntry {
  readonly startTime: string;
  readonly stopped: boolean;
}

const HAS_PROC = existsSync('/proc/self/stat');

/** Finds the process; undefined if it is gone or a zombie. */
export function findProcess(pid: number): ProcessEntry | undefined {
  return HAS_PROC ? fromProc(pid) : fromPs(pid);
}

/**
 * Finds the process that was started with this environment variable and returns its pid. Linux only; elsewhere
 * undefined.
 */
export function findByEnvironment(variable: string): number | undefined {
  if (!HAS_PROC) return undefined;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = readIfAllowed(`/proc/${entry}/environ`);
    // Only the leader of its group: its children inherit the variable.
    if (environment?.split('\0').includes(variable) && groupOf(Number(entry)) === Number(entry))
      return Number(entry);
  }
  return undefined;
}

/** proc(5): `pid (comm) state ppid pgrp …`; the start time is field 22. comm may contain anything, parentheses too. */
function statFields(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function groupOf(pid: number): number {
  return Number(statFields(pid)?.[2]);
}

function fromProc(pid: number): ProcessEntry | undefined {
  const fields = statFields(pid);
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (state === undefined || startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { startTime, stopped: state === 'T' };
}

function fromPs(pid: number): ProcessEntry | undefined {
  try {
    const [state = '', ...startTime] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z')
      ? undefined
      : { startTime: startTime.join(' '), stopped: state.startsWith('T') };
  } catch {
    return undefined;
  }
}

/**
 * Reads a file of /proc; undefined if there is no such process. @throws if it cannot be known, for example without
 * free file descriptors
 */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function readIfAllowed(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
