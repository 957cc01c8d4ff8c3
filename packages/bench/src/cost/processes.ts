import { readdirSync, readFileSync } from 'node:fs';

/**
 * A program and the processes that it started on its own cores, as nginx's and cLess's workers are. Instances have
 * another core, so they do not count.
 */
export function processesOf(pid: number): readonly number[] {
  const cores = coresOf(pid);
  return [
    pid,
    ...childrenOf(pid)
      .filter((child) => coresOf(child) === cores)
      .flatMap(processesOf),
  ];
}

function coresOf(pid: number): string | undefined {
  return /^Cpus_allowed_list:\s*(.+)$/m.exec(procFile(`${pid}/status`))?.[1];
}

/** The kernel lists children by the thread that made them. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => procFile(`${pid}/task/${thread}/children`).split(' '))
    .filter((child) => child !== '')
    .map(Number);
}

/** A file in /proc; empty if the process or thread has ended meanwhile. */
function procFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
