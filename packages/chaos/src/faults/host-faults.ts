import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Fault, WARM } from '../fault.ts';
import { Installation } from '../installation.ts';

const run = promisify(execFile);
const HOUR_S = 3_600;
const OPEN_FILES = 256;
const IDLE_CONNECTIONS = 600;

/** The host runs out of something, or its clock is changed. */
export function hostFaults(): readonly Fault[] {
  return [
    {
      name: 'disk of the state full',
      inject: async (installation) => {
        await installation.state.fill();
        const answer = await change(installation, 5_000);
        if (answer !== 507) throw new Error(`a change on a full disk was answered ${answer}`);
      },
      heal: async (installation) => {
        await installation.state.clear();
        const answer = await change(installation, 1);
        if (answer !== 201 && answer !== 200)
          throw new Error(`a change with space again was answered ${answer}`);
        await installation.admin('DELETE', '/v1/services/changed');
      },
      holdMs: 1_500,
      keeps: WARM,
    },
    {
      name: 'disk of the log full',
      inject: (installation) => installation.log.fill(),
      heal: (installation) => installation.log.clear(),
      holdMs: 2_000,
      keeps: WARM,
      logs: [/lines are missing here/],
    },
    openFilesUsedUp(),
    clock('an hour forward', HOUR_S),
    clock('an hour back', -HOUR_S),
  ];
}

/** Registers a service of a certain size on disk. */
async function change(installation: Installation, hosts: number): Promise<number | string> {
  const names = Array.from(
    { length: Math.min(hosts, 900) },
    (_, i) => `host${i}.${'x'.repeat(50)}.changed.example`,
  );
  const answer = await installation.admin('PUT', '/v1/services/changed', { hosts: names });
  return typeof answer === 'string' ? answer : answer.status;
}

function openFilesUsedUp(): Fault {
  const idle: Socket[] = [];
  let limits = new Map<number, string>();
  return {
    name: 'open files used up',
    inject: async ({ processes, edge }) => {
      limits = new Map();
      for (const pid of processes) {
        limits.set(pid, await limitOf(pid));
        await limit(pid, `${OPEN_FILES}:`);
      }
      for (let i = 0; i < IDLE_CONNECTIONS; i++) idle.push(connect(edge).on('error', () => {}));
    },
    heal: async () => {
      for (const socket of idle.splice(0)) socket.destroy();
      for (const [pid, before] of limits) await limit(pid, `${before}:`).catch(() => {}); // it may have ended
    },
    holdMs: 1_500,
    // No connection can be accepted or opened.
    excuses: [{ by: ['cut', 502, 503] }],
    keeps: WARM,
    recoversWithinMs: 20_000,
  };
}

async function limitOf(pid: number): Promise<string> {
  const { stdout } = await run('prlimit', [
    '--nofile',
    '--noheadings',
    '--output=SOFT',
    '--pid',
    String(pid),
  ]);
  return stdout.trim();
}

function limit(pid: number, range: string) {
  return run('prlimit', [`--nofile=${range}`, '--pid', String(pid)]);
}

function clock(how: string, seconds: number): Fault {
  return {
    name: `clock: ${how}`,
    ...(Installation.clockIsFixed !== undefined && { impossible: Installation.clockIsFixed }),
    inject: async (installation) => {
      installation.setClock(seconds);
      await untilClockIs(installation, seconds);
    },
    heal: async (installation) => {
      installation.setClock(0);
      await untilClockIs(installation, 0);
    },
    holdMs: 1_000,
    keeps: WARM,
  };
}

/** Waits until the proxy's clock, by its log, is this far from ours. */
async function untilClockIs(installation: Installation, seconds: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const written = [
      ...installation.logSince(Math.max(0, installation.logSize - 10_000)).matchAll(/"time":(\d+)/g),
    ];
    const offMs = Number(written.at(-1)?.[1]) - Date.now() - seconds * 1_000;
    if (Math.abs(offMs) < 60_000) return;
    await sleep(100);
  }
  throw new Error(`the clock of the proxy was not put by ${seconds} s`);
}
