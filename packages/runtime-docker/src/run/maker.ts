import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/*
 * Identifies the process that created a container. Pids are reused; a pid and a start time within one boot identify
 * one process.
 */

/** The state of a maker: `unknown` if its processes cannot be seen from here. */
export type Finding = 'alive' | 'dead' | 'unknown';

/** Reads the start time of a process; undefined if it is gone or its start time cannot be read. */
type StartOf = (pid: number) => string | undefined;

const HAS_PROC = existsSync('/proc/self/stat');

/** This process, as the value of a label: `MACHINE/PID/START`. */
export function ownMaker(): string {
  return `${machine()}/${process.pid}/${startOf(process.pid)}`;
}

/** Does the process that made something still run? */
export function findMaker(maker: string, look: StartOf = startOf): Finding {
  const [where, digits, start] = maker.split('/');
  const pid = Number(digits);
  if (where !== machine() || !(pid > 0) || start === undefined) return 'unknown';
  if (!exists(pid)) return 'dead';
  const found = look(pid);
  if (found === undefined) return exists(pid) ? 'unknown' : 'dead';
  return found === start ? 'alive' : 'dead';
}

// Private

/** Identifies where pids are valid: this boot of this machine, and on Linux this pid namespace. */
function machine(): string {
  if (!HAS_PROC) return hostname();
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot}.${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
}

/** Works for processes of other users, too. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code !== 'ESRCH';
  }
}

/** `zombie` for a process that has ended but has not been reaped. */
function startOf(pid: number): string | undefined {
  try {
    return HAS_PROC ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

/** proc(5): `pid (comm) state ppid …`; the start time is field 22. comm may contain anything, parentheses too. */
function fromProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return isZombie(fields[0]) ? 'zombie' : fields[19];
}

function fromPs(pid: number): string | undefined {
  const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [state, ...start] = line.trim().split(/\s+/);
  return isZombie(state) ? 'zombie' : start.join('-');
}

function isZombie(state: string | undefined): boolean {
  return state?.startsWith('Z') === true || state === 'X';
}
