import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { docker } from './docker.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;

/**
 * A Docker Engine for one test, beside the machine's, that can be killed and started again. It runs in its own
 * network namespace, since it would otherwise take over the machine's bridge; whoever wants to reach its containers
 * must be in there too.
 */
export class OwnEngine {
  readonly #directory = mkdtempSync(join(tmpdir(), 'cless-engine-'));
  readonly #namespace = `cless${process.pid}`;
  readonly #flags: readonly string[];
  #daemon: ChildProcess | undefined;

  /** @param flags of dockerd, besides those that separate it from the machine's */
  constructor(...flags: readonly string[]) {
    this.#flags = flags;
  }

  /** Why it cannot run here; undefined if it can. */
  static readonly impossible: string | undefined =
    process.getuid?.() === 0 ? undefined : 'only root can start a second engine in a network namespace';

  /** The value for DOCKER_HOST. */
  get address(): string {
    return `unix://${this.#path('docker.sock')}`;
  }

  /** The command prefix that enters the engine's network namespace. */
  get enter(): readonly [program: string, ...args: string[]] {
    return ['nsenter', `--net=/run/netns/${this.#namespace}`];
  }

  async start(): Promise<void> {
    await this.#makeNamespace();
    // Left by a killed daemon: if nobody reaps its containerd, the next daemon takes the zombie for a running one.
    rmSync(this.#path('exec/containerd/containerd.pid'), { force: true });
    const log = openSync(this.#path('log'), 'a');
    const [program, ...args] = this.enter;
    this.#daemon = spawn(
      program,
      [
        ...args,
        'dockerd',
        ...['--host', this.address],
        ...['--data-root', this.#path('data')],
        ...['--exec-root', this.#path('exec')],
        ...['--pidfile', this.#path('pid')],
        ...[
          '--bridge=none',
          '--iptables=false',
          '--ip6tables=false',
          '--ip-forward=false',
          '--ip-masq=false',
        ],
        ...this.#flags,
      ],
      { stdio: ['ignore', log, log], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
    );
    closeSync(log);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (
      !(await this.docker('version').then(
        () => true,
        () => false,
      ))
    ) {
      if (performance.now() > deadline || this.#daemon.exitCode !== null) {
        throw new Error(
          `dockerd did not start:\n${readFileSync(this.#path('log'), 'utf8').split('\n').slice(-10).join('\n')}`,
        );
      }
      await sleep(100);
    }
  }

  /** Runs the docker command against this engine. */
  async docker(...args: string[]): Promise<string> {
    return docker('-H', this.address, ...args);
  }

  /** Copies an image of the machine's engine. */
  async load(image: string): Promise<void> {
    const archive = this.#path('image.tar');
    await docker('save', '-o', archive, image);
    await this.docker('load', '-i', archive);
    rmSync(archive);
  }

  /** Freezes the daemon, so that the engine does not answer, or unfreezes it. */
  freeze(frozen: boolean): void {
    this.#daemon?.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill(signal);
    await once(daemon, 'exit');
  }

  /** Removes everything it ran and stored. */
  async remove(): Promise<void> {
    if (this.#daemon !== undefined && (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null))
      await this.start();
    const containers = await this.docker('ps', '-aq');
    if (containers !== '') await this.docker('rm', '-f', ...containers.split('\n'));
    await this.docker('network', 'prune', '-f');
    await this.kill('SIGTERM');
    await run('ip', ['netns', 'delete', this.#namespace]);
    // A killed daemon leaves its data mounted.
    while (
      await run('umount', ['-R', '-l', this.#path('data')]).then(
        () => true,
        () => false,
      )
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }

  // Private

  async #makeNamespace(): Promise<void> {
    const { stdout } = await run('ip', ['netns', 'list']);
    if (stdout.includes(this.#namespace)) return;
    await run('ip', ['netns', 'add', this.#namespace]);
    const [program, ...args] = this.enter;
    await run(program, [...args, 'ip', 'link', 'set', 'lo', 'up']);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
