import { type Fault, WARM } from '../fault.ts';
import type { Excuse } from '../ledger.ts';

/** The process with the connection has ended. */
const CUT: Excuse = { by: ['cut'] };

/** @param stoppedMs how long the proxy is stopped */
export function proxyFaults(stoppedMs: number): readonly Fault[] {
  return [
    {
      name: 'proxy: killed and started again',
      inject: (installation) => installation.stop('SIGKILL'),
      heal: (installation) => installation.start(),
      excuses: [CUT],
      keeps: WARM,
      logs: [/plain adopted/, /ledger adopted/, /stream adopted/],
      recoversWithinMs: 20_000,
    },
    {
      name: 'proxy: stopped for a while',
      inject: async ({ processes }) => signalAll(processes, 'SIGSTOP'),
      heal: async ({ processes }) => signalAll(processes, 'SIGCONT'),
      holdMs: stoppedMs,
      keeps: WARM,
    },
    {
      name: 'proxy: its first process stopped for a while',
      inject: async ({ pid }) => signalAll([pid], 'SIGSTOP'),
      heal: async ({ pid }) => signalAll([pid], 'SIGCONT'),
      holdMs: stoppedMs,
      keeps: WARM,
      needsWorkers: true,
    },
    {
      name: 'workers killed',
      inject: async ({ workers }) => signalAll(workers, 'SIGKILL'),
      // Nobody listens until they have been replaced.
      excuses: [CUT],
      keeps: WARM,
      logs: [/replaced/],
      needsWorkers: true,
    },
    {
      name: 'one worker killed',
      inject: async ({ workers }) => signalAll(workers.slice(0, 1), 'SIGKILL'),
      excuses: [CUT],
      keeps: WARM,
      logs: [/replaced/],
      needsWorkers: true,
    },
  ];
}

function signalAll(processes: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of processes) process.kill(pid, signal);
}
