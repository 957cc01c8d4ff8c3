import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OwnEngine, type Relay, startRelay } from '@cless/testkit';
import { Disk } from './disk.ts';
import { EngineGate } from './engine-gate.ts';
import type { Container, Snapshot } from './invariants.ts';
import { PROXY } from './proxy.ts';
import { send } from './send.ts';
import { hostOf, LEDGER, SERVICES, SLEEPY } from './services.ts';

const OWNER = 'chaos';
const LABEL = `label=cless.owner=${OWNER}`;
const START_TIMEOUT_MS = 30_000;
const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((library) => existsSync(library));

/** What kind of proxy it has. */
export interface Kind {
  readonly workers: number;
  readonly lane: 'on' | 'off';
}

/**
 * A proxy process and an engine with services, on separate disks that can be filled, in a separate network namespace,
 * so that its ports are always the same.
 */
export class Installation {
  /** Why its clock cannot be changed; undefined if it can. */
  static readonly clockIsFixed: string | undefined =
    FAKETIME === undefined ? 'faketime is not installed' : undefined;

  readonly directory = mkdtempSync(join(tmpdir(), 'cless-chaos-'));
  readonly engine = new OwnEngine();
  readonly state = new Disk(this.#path('state'));
  readonly log = new Disk(this.#path('log'));
  #gate: EngineGate | undefined;
  #edge: Relay | undefined;
  #admin: Relay | undefined;
  #proxy: ChildProcess | undefined;
  #kind: Kind = { workers: 1, lane: 'on' };

  /** The Unix socket over which the edge can be reached from here. */
  get edge(): string {
    return this.#edge?.socketPath ?? '';
  }

  /** Sets what the engine's socket does. */
  set gate(mode: EngineGate['mode']) {
    if (this.#gate !== undefined) this.#gate.mode = mode;
  }

  get pid(): number {
    return this.#proxy?.pid ?? 0;
  }

  get running(): boolean {
    return this.#proxy !== undefined && this.#proxy.exitCode === null && this.#proxy.signalCode === null;
  }

  /** The pids of the workers; empty if there are none. */
  get workers(): number[] {
    return readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  }

  get processes(): number[] {
    return [this.pid, ...this.workers];
  }

  /** Starts the engine with its images, and the gate in front of it. */
  async prepare(): Promise<void> {
    mkdirSync(this.#path('volume'));
    await this.state.mount();
    await this.log.mount();
    this.setClock(0);
    await this.engine.start();
    await this.engine.load('cless-testkit');
    for (const service of SERVICES) await this.makeImage(service);
    // Registered services use the image's id, so a container keeps the image from being pruned.
    for (const image of ['cless-testkit', `${LEDGER}-docker`, `${SLEEPY}-docker`]) {
      await this.engine.docker(
        'run',
        '-d',
        '--restart=always',
        '--network=none',
        '--entrypoint=sleep',
        image,
        'infinity',
      );
    }
    this.#gate = await EngineGate.listen(
      this.#path('engine.sock'),
      this.engine.address.replace('unix://', ''),
    );
    this.#edge = await startRelay(this.engine.enter, 18_080);
    this.#admin = await startRelay(this.engine.enter, 17_070);
  }

  /** Builds `SERVICE-docker` with a unique id. */
  async makeImage(service: string): Promise<void> {
    const container = await this.engine.docker('create', 'cless-testkit');
    await this.engine.docker('commit', '-c', `ENV SAMPLE=${service}`, container, `${service}-docker`);
    await this.engine.docker('rm', container);
  }

  /** Starts the proxy and waits until it listens. @throws with its output if it does not */
  async start(kind = this.#kind): Promise<void> {
    this.#kind = kind;
    const since = this.logSize;
    const log = openSync(this.#path('log/log'), 'a');
    const errors = openSync(this.#path('errors'), 'a');
    const [program, ...args] = this.engine.enter;
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('CLESS_'));
    const proxy = spawn(program, [...args, process.execPath, ...PROXY.command], {
      env: { ...Object.fromEntries(env), ...this.#settings() },
      stdio: ['ignore', log, errors],
    });
    closeSync(log);
    closeSync(errors);
    this.#proxy = proxy;
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!/"listening/.test(this.logSince(since))) {
      if (!this.running || performance.now() > deadline) {
        throw new Error(
          `the proxy did not start:\n${this.errors.slice(-2_000)}${this.logSince(since).slice(-2_000)}`,
        );
      }
      await sleep(50);
    }
  }

  /** Registers those services that are not by convention. */
  async register(): Promise<void> {
    const volumes = [{ source: this.#path('volume'), target: '/volume' }];
    await this.#deploy(LEDGER, { env: { LEDGER_FILE: '/volume/executed' }, volumes });
    await this.#deploy(SLEEPY, { idle: { pauseAfter: '400ms', stopAfter: '1200ms' } });
  }

  /** Stops the proxy. Returns its exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    const proxy = this.#proxy;
    if (proxy !== undefined && this.running) {
      const exited = once(proxy, 'exit');
      proxy.kill(signal);
      await exited;
    }
    return proxy?.exitCode ?? proxy?.signalCode ?? null;
  }

  /** Removes all. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    for (const relay of [this.#edge, this.#admin]) relay?.stop();
    this.#gate?.close();
    await this.engine.remove();
    await this.state.unmount();
    await this.log.unmount();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The status of a service's answer, or why there was none. */
  async ask(service: string, timeoutMs: number): Promise<number | string> {
    const path = `/ask/${Math.random()}`;
    const answer = await send(this.edge, { Host: hostOf(service) }, { path, timeoutMs });
    if (typeof answer === 'string') return answer;
    return answer.status === 200 && !answer.text.includes(path)
      ? `a wrong answer: ${answer.text}`
      : answer.status;
  }

  /** Does the proxy hear what happens on the engine? */
  async isConnected(): Promise<boolean> {
    const answer = await this.admin('GET', '/v1/status');
    return (
      typeof answer !== 'string' && answer.status === 200 && JSON.parse(answer.text).runtimeConnected === true
    );
  }

  /** Calls the admin API. */
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; text: string } | string> {
    const token = readFileSync(this.#path('state/admin-token'), 'utf8').trim();
    const headers = {
      Host: 'localhost',
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
    };
    return send(this.#admin?.socketPath ?? '', headers, {
      method,
      path,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** Stops all instances and waits until they are gone. There must be no requests meanwhile. */
  async putToSleep(): Promise<void> {
    for (const { id } of await this.#instances()) await this.admin('DELETE', `/v1/instances/${id}`);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while ((await this.containers()).length > 0) {
      if (performance.now() > deadline) throw new Error('the instances did not stop');
      await sleep(50);
    }
  }

  async containers(): Promise<Container[]> {
    const format = '{{.ID}} {{.Label "cless.service"}} {{.Label "cless.revision"}} {{.State}}';
    return lines(await this.engine.docker('ps', '-a', '--filter', LABEL, '--format', format)).map((line) => {
      const [id = '', service = '', revision = '', state = ''] = line.split(' ');
      return { id, service, revision, state };
    });
  }

  /** The container of a service that runs now. @throws if none does */
  async containerOf(service: string): Promise<string> {
    const found = (await this.containers()).find((one) => one.service === service && one.state === 'running');
    if (found === undefined) throw new Error(`no container of ${service} runs`);
    return found.id;
  }

  /** The names of what the owner has. */
  async names(kind: 'network' | 'volume'): Promise<string[]> {
    return lines(await this.engine.docker(kind, 'ls', '--filter', LABEL, '--format', '{{.Name}}'));
  }

  async snapshot(): Promise<Snapshot> {
    return {
      containers: await this.containers(),
      networks: await this.names('network'),
      volumes: await this.names('volume'),
      leases: (await this.#instances()).reduce((sum, { requests }) => sum + requests, 0),
      openFiles: this.processes.reduce((sum, pid) => sum + openFiles(pid), 0),
    };
  }

  /** How often each POST was executed, by id. */
  executed(): Map<string, number> {
    const times = new Map<string, number>();
    const file = this.#path('volume/executed');
    for (const id of existsSync(file) ? lines(readFileSync(file, 'utf8')) : [])
      times.set(id, (times.get(id) ?? 0) + 1);
    return times;
  }

  /** Sets the proxy's wall clock that far from ours, within about a second. */
  setClock(seconds: number): void {
    writeFileSync(this.#path('clock'), `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  get logSize(): number {
    const file = this.#path('log/log');
    return existsSync(file) ? statSync(file).size : 0;
  }

  logSince(size: number): string {
    const file = this.#path('log/log');
    return existsSync(file) ? readFileSync(file).toString('utf8', size) : '';
  }

  get errors(): string {
    return readFileSync(this.#path('errors'), 'utf8');
  }

  // Private

  #settings(): Record<string, string> {
    return {
      DOCKER_HOST: `unix://${this.#path('engine.sock')}`,
      CLESS_OWNER: OWNER,
      CLESS_LISTEN: '127.0.0.1:18080',
      CLESS_ADMIN_LISTEN: '127.0.0.1:17070',
      CLESS_STATE_DIR: this.#path('state'),
      CLESS_HOST_PATHS: this.directory,
      CLESS_LOG_FORMAT: 'json',
      CLESS_STOP_GRACE: '1s',
      CLESS_READY_TIMEOUT: '20s',
      CLESS_RESPONSE_TIMEOUT: '10s',
      CLESS_PAUSE_AFTER: '60s',
      CLESS_STOP_AFTER: '120s',
      CLESS_WORKERS: String(this.#kind.workers),
      CLESS_LANE: this.#kind.lane,
      ...(FAKETIME !== undefined && {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: this.#path('clock'),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      }),
    };
  }

  async #deploy(service: string, revision: object): Promise<void> {
    for (const [method, path, body] of [
      ['PUT', `/v1/services/${service}`, { hosts: [hostOf(service)] }],
      ['POST', `/v1/services/${service}/revisions`, { image: `${service}-docker`, ...revision }],
    ] as const) {
      const answer = await this.admin(method, path, body);
      if (typeof answer === 'string' || answer.status > 201)
        throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    }
  }

  async #instances(): Promise<{ id: string; requests: number }[]> {
    const answer = await this.admin('GET', '/v1/instances');
    if (typeof answer === 'string' || answer.status !== 200)
      throw new Error(`no list of instances: ${JSON.stringify(answer)}`);
    return JSON.parse(answer.text).items;
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
