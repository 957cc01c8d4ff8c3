import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesOf } from './processes.ts';
import { straceCounts } from './strace-counts.ts';

/**
 * The system calls that a proxy's processes make while something is done, by name. `strace` makes each of them several
 * times as slow, so nothing is timed meanwhile.
 */
export async function syscallsDuring(
  pid: number,
  work: () => Promise<unknown>,
): Promise<ReadonlyMap<string, number>> {
  const summary = join(tmpdir(), `cless-bench-strace-${pid}`);
  const traced = processesOf(pid).flatMap((process) => ['-p', String(process)]);
  const strace = spawn('strace', ['-c', '-f', '-o', summary, ...traced], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(strace, 'close');
  try {
    // It says so when it has attached to a process and its threads.
    await Promise.race([once(strace.stderr, 'data'), ended]);
    await work();
    strace.kill('SIGINT');
    await ended;
    return straceCounts(readFileSync(summary, 'utf8'));
  } finally {
    strace.kill('SIGKILL');
    rmSync(summary, { force: true });
  }
}
