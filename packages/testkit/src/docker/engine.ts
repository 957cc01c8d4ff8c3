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
 * A Docker Engine of a test's own, beside the machine's, that may be killed and started again. It lives in a network
 * namespace of its own, or it would take the machine's bridge away; so must whoever wants to reach its containers.
 */
export class OwnEngine {
  readonly #directory = mkdtempSync(join(tmpdir(), 'cless-engine-'));
  readonly #namespace = `cless${process.pid}`;
  readonly #flags: readonly string[];
  #daemon: ChildProcess | undefined;

  /** @param flags of dockerd, besides those that it takes to be of its own */
  constructor(...flags: readonly string[]) {
    this.#flags = flags;
  }

  /** Why there can be none; nothing if there can. */
  static readonly impossible: string | undefined =
    process.getuid?.() === 0 ? undefined : 'only root can start a second engine in a network namespace';

  /** What DOCKER_HOST is to be. */
  get address(): string {
    return `unix://${this.#path('docker.sock')}`;
  }

  /** What puts a command into the engine's network namespace. */
  get enter(): readonly [program: string, ...args: string[]] {
    return ['nsenter', `--net=/run/netns/${this.#namespace}`];
  }

  async start(): Promise<void> {
    await this.#makeNamespace();
    // Of a daemon that was killed: where nobody reaps its containerd, the next one takes the zombie for a living one.
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

  /** Freezes the daemon, or lets it run on: an engine that does not answer. */
  freeze(frozen: boolean): void {
    this.#daemon?.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill(signal);
    await once(daemon, 'exit');
  }

  /** Removes all that it ran and kept. */
  async remove(): Promise<void> {
    if (this.#daemon !== undefined && (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null))
      await this.start();
    const containers = await this.docker('ps', '-aq');
    if (containers !== '') await this.docker('rm', '-f', ...containers.split('\n'));
    await this.docker('network', 'prune', '-f');
    await this.kill('SIGTERM');
    await run('ip', ['netns', 'delete', this.#namespace]);
    // A daemon that was killed leaves its data mounted.
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
