import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, find, step } from './shell.ts';

/** A usable Docker Engine, or why there is none. */
export type EngineState =
  | { readonly available: true /** Stops it, if it was started here. */; readonly stop: () => Promise<void> }
  | { readonly available: false; readonly reason: string };

const START_TIMEOUT_MS = 60_000;

/** Uses the running engine; otherwise starts an installed one; otherwise, as root on Debian or Ubuntu, installs one. */
export async function ensureEngine(): Promise<EngineState> {
  if (engineRuns()) return { available: true, stop: async () => {} };
  const isRoot = process.getuid?.() === 0;
  if (!isRoot)
    return { available: false, reason: 'no Docker Engine answers, and only root can start or install one' };
  if (find('dockerd') === undefined) {
    if (find('apt-get') === undefined)
      return { available: false, reason: 'no Docker Engine is installed, and there is no apt-get' };
    try {
      await install(['docker.io', 'iptables']);
    } catch (error) {
      return { available: false, reason: `Docker could not be installed: ${(error as Error).message}` };
    }
    if (engineRuns()) return { available: true, stop: async () => {} }; // started by its package
  }
  return start();
}

/** Once is enough. */
let updated: Promise<void> | undefined;

/** Installs packages of the distribution. @throws if that fails */
export async function install(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // One of many sources may be unreachable; it only matters whether the packages can be installed.
  updated ??= step('updating package lists', 'apt-get', ['update', '-q'], { env }).catch(() => {});
  await updated;
  await step(
    `installing ${packages.join(', ')}`,
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', ...packages],
    { env },
  );
}

/** Does a Docker Engine answer? */
export function engineRuns(): boolean {
  return (
    find('docker') !== undefined &&
    attempt('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 20_000 }).ok
  );
}

async function start(): Promise<EngineState> {
  const logFile = join(tmpdir(), `cless-dockerd-${process.pid}.log`);
  const log = openSync(logFile, 'w');
  const daemon = spawn(find('dockerd') ?? 'dockerd', [], { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const exited = new Promise<number | null>((resolve) =>
    daemon.once('exit', resolve).once('error', () => resolve(127)),
  );
  let code: number | null | undefined;
  void exited.then((value) => {
    code = value;
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (code === undefined && performance.now() < deadline) {
    if (engineRuns()) {
      daemon.unref();
      process.once('exit', () => daemon.kill('SIGTERM')); // however this command ends
      console.log(`started a Docker Engine (log: ${logFile})`);
      return {
        available: true,
        stop: async () => {
          daemon.ref();
          daemon.kill('SIGTERM');
          await exited;
        },
      };
    }
    await sleep(200);
  }
  daemon.kill('SIGKILL');
  const lastLines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-3).join('\n');
  return { available: false, reason: `dockerd did not start:\n${lastLines}` };
}
