import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from '@cless/testkit/host';
import { LOAD_CORE, PROXY_CORE } from './cores.ts';
import { goodAnswer } from './engine-api.ts';
import { installMissing } from './install.ts';
import type { Peer } from './peer.ts';
import type { Running } from './running.ts';
import { ECHO_PORT, upstreamConfiguration } from './upstream.ts';

const UPSTREAM_PORT = 18_800;
const ECHO = join(import.meta.dirname, '..', '..', 'peers', 'echo.js');

/** The measured proxies on one core, an upstream on the other, and a folder for their files. */
export class Bed {
  readonly running: Running[] = [];
  /** The upstream itself. */
  readonly direct: Running = { name: 'direct', port: UPSTREAM_PORT, pid: undefined };
  readonly directory = mkdtempSync(join(tmpdir(), 'cless-bench-'));
  readonly #children: ChildProcess[] = [];

  /** Starts the proxies. Names and leaves out those that cannot be installed. */
  static async start(wanted: readonly Peer[], core = PROXY_CORE): Promise<Bed> {
    await installMissing(wanted);
    const bed = new Bed();
    try {
      await bed.#start(wanted, core);
      return bed;
    } catch (error) {
      await bed.stop();
      throw error;
    }
  }

  async #start(wanted: readonly Peer[], core: string): Promise<void> {
    this.#spawn(LOAD_CORE, [process.execPath, ECHO, String(ECHO_PORT)]);
    const upstream = join(this.directory, 'upstream.conf');
    writeFileSync(upstream, upstreamConfiguration(UPSTREAM_PORT, this.directory));
    await this.serve('the upstream', UPSTREAM_PORT, LOAD_CORE, [find('nginx') ?? 'nginx', '-c', upstream]);
    for (const [i, peer] of wanted.entries()) {
      if (find(peer.program) === undefined) {
        console.log(`left out: ${peer.name} (${peer.program} is not installed)`);
        continue;
      }
      const port = UPSTREAM_PORT + 1 + i;
      const { command, env } = await peer.command(port, UPSTREAM_PORT, join(this.directory, String(i)));
      this.running.push(await this.serve(peer.name, port, core, command, env));
    }
  }

  /** Starts a server on a core, which ends with the bed, and waits until it answers. @throws if it does not */
  async serve(
    name: string,
    port: number,
    core: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    if (await isUp(port)) throw new Error(`port ${port} is in use: does another benchmark run?`);
    const child = this.#spawn(core, command, env);
    for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
      if (await isUp(port)) return { name, port, pid: child.pid };
      await sleep(50);
    }
    throw new Error(`${name} did not start`);
  }

  #spawn(core: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn('taskset', ['-c', core, ...command], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    this.#children.unshift(child);
    return child;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGTERM');
      await sleep(50);
    }
    await sleep(500);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function isUp(port: number): Promise<boolean> {
  return goodAnswer(port, 'bench.test', false).then(
    () => true,
    () => false,
  );
}
