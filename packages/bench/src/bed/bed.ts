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
    const upstream = join(bed.directory, 'upstream.conf');
    writeFileSync(upstream, upstreamConfiguration(UPSTREAM_PORT, bed.directory));
    bed.spawn(LOAD_CORE, [find('nginx') ?? 'nginx', '-c', upstream]);
    bed.spawn(LOAD_CORE, [process.execPath, ECHO, String(ECHO_PORT)]);
    await bed.answers('the upstream', UPSTREAM_PORT);
    for (const [i, peer] of wanted.entries()) {
      if (find(peer.program) === undefined) {
        console.log(`left out: ${peer.name} (${peer.program} is not installed)`);
        continue;
      }
      const port = UPSTREAM_PORT + 1 + i;
      const { command, env } = await peer.command(port, UPSTREAM_PORT, join(bed.directory, String(i)));
      const { pid } = bed.spawn(core, command, env);
      await bed.answers(peer.name, port);
      bed.running.push({ name: peer.name, port, pid });
    }
    return bed;
  }

  /** Starts a process on a core; it ends with the bed. */
  spawn(core: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn('taskset', ['-c', core, ...command], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    this.#children.unshift(child);
    return child;
  }

  /** Waits until the port answers. */
  async answers(name: string, port: number): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const up = await goodAnswer(port, 'bench.test', false).then(
        () => true,
        () => false,
      );
      if (up) return;
      await sleep(50);
    }
    throw new Error(`${name} did not start`);
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
