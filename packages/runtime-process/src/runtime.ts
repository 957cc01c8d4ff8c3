import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Failure,
  type InspectedInstance,
  type InstanceSpec,
  type PartialSpec,
  type Refusal,
  type RunningInstance,
  type RuntimeEvent,
} from '@cless/model';
import getPort, { clearLockedPorts } from 'get-port';
import { inheritedEnvironment } from './environment.ts';
import { instanceNotFound, startFailed } from './failures.ts';
import { boundLog, followFile, lastLines } from './log-tail.ts';
import { ended, runningOf, signalGroup } from './process-group.ts';
import { findByEnvironment, findProcess } from './process-table.ts';
import { type ProcessRecord, Records } from './records.ts';
import { commandId, readServicesFile, versionOf } from './services-file.ts';

export interface ProcessRuntimeOptions {
  /** The JSON file that maps names to commands. */
  readonly servicesFile: string;
  /** Where records and logs are kept; the processes of a killed predecessor are found again by them. */
  readonly stateDirectory: string;
}

const HOST = '127.0.0.1';
const LAST_LOG_LINES = 20;
/** How often to look at processes that are not our children or may have been stopped by hand, in milliseconds. */
const LOOK_INTERVAL_MS = 500;
/** How long to wait for the kernel to stop a paused process, in milliseconds. */
const PAUSE_TIMEOUT_MS = 1_000;

/**
 * Runs instances as child processes, each in its own process group: paused with SIGSTOP, stopped with SIGTERM. For
 * development and for machines without a container engine; the processes are not isolated from each other.
 *
 * @example
 * const runtime = new ProcessRuntime({ servicesFile: 'services.json', stateDirectory: '/tmp/cless' });
 * const instance = await runtime.start({ service: 'web', revision: '1', image: 'web', port: 8080 });
 * console.log(instance.endpoint);
 * await runtime.stop(instance.id);
 */
export class ProcessRuntime {
  readonly name = 'process';
  readonly capabilities = { pause: true } as const;
  readonly #servicesFile: string;
  readonly #records: Records;
  readonly #children = new Map<string, ChildProcess>();
  readonly #exits = new Map<string, { exitCode: number; oomKilled: boolean }>();
  readonly #events = new EventEmitter<{ event: [RuntimeEvent] }>();
  readonly #portsInUse = new Set<number>();

  constructor({ servicesFile, stateDirectory }: ProcessRuntimeOptions) {
    this.#servicesFile = servicesFile;
    this.#records = new Records(join(stateDirectory, 'processes'));
  }

  /** Reads the services file, so that an invalid one is reported at once. @throws with code `INVALID_SERVICES_FILE` */
  async prepare(): Promise<void> {
    await readServicesFile(this.#servicesFile);
  }

  /**
   * The definition of that name; undefined if there is none. Its id changes when the definition does. @throws with
   * code `INVALID_SERVICES_FILE`
   */
  async image(name: string): Promise<{ id: string; exposedPorts: readonly number[] } | undefined> {
    const command = (await readServicesFile(this.#servicesFile)).get(name);
    return command && { id: commandId(command), exposedPorts: [] };
  }

  /** All definitions: name → id. @throws with code `INVALID_SERVICES_FILE` */
  async listImages(): Promise<ReadonlyMap<string, string>> {
    const services = await readServicesFile(this.#servicesFile);
    return new Map([...services].map(([name, command]) => [name, commandId(command)]));
  }

  /** A child process is run as the services file says, so options for containers are refused. */
  async refusals(spec: PartialSpec): Promise<Refusal[]> {
    const given = [
      ...(['entrypoint', 'command', 'user', 'hardening'] as const).filter((one) => spec[one] !== undefined),
      ...(['volumes', 'networks', 'relaxations'] as const).filter((one) => (spec[one] ?? []).length > 0),
    ];
    return given.map((field) => ({ field, reason: `${field}: the process runtime has no containers` }));
  }

  /** What {@link RuntimeInstance.spec} would be for this spec. */
  specHash({ service, revision, image, env = {} }: InstanceSpec): string {
    const sortedEnv = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash('sha256')
      .update(JSON.stringify([service, revision, image, sortedEnv]))
      .digest('hex');
  }

  /**
   * Starts the process. When this resolves, it runs, but may not answer yet. `image` is a name in the services file,
   * or the id of its definition; the runtime chooses the port, whatever the spec's.
   *
   * @throws with code `IMAGE_NOT_FOUND`, `START_FAILED` or `INVALID_SERVICES_FILE`, or the signal's reason
   */
  async start(
    spec: InstanceSpec,
    { onCreated, signal }: { onCreated?: (id: string) => void; signal?: AbortSignal } = {},
  ): Promise<RunningInstance> {
    signal?.throwIfAborted();
    const services = await readServicesFile(this.#servicesFile);
    const command =
      services.get(spec.image) ?? [...services.values()].find((one) => commandId(one) === spec.image);
    if (command === undefined) {
      const text = `${this.#servicesFile} has no service ${spec.image}`;
      throw new Failure('IMAGE_NOT_FOUND', text, { image: spec.image });
    }
    const { service, revision } = spec;
    const id = randomBytes(8).toString('hex');
    const port = await this.#takePort();
    const record = { id, service, revision, spec: this.specHash(spec), port };
    // Written before the process starts: if we are killed in between, it is found by its CLESS_INSTANCE.
    this.#records.put(record);
    onCreated?.(id);

    const [program, ...args] = command.command;
    const log = this.#openLog(record, spec.image);
    const contract = {
      PORT: String(port),
      K_SERVICE: service,
      K_REVISION: revision,
      K_CONFIGURATION: service,
    };
    const child = spawn(program, args, {
      cwd: command.cwd,
      env: { ...inheritedEnvironment(), ...command.env, ...spec.env, ...contract, CLESS_INSTANCE: id },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#children.set(id, child);
    child.once('exit', (code, signal) => this.#exited(id, code, signal));
    try {
      await once(child, 'spawn');
    } catch (error) {
      this.#forget(record);
      const { code, message } = error as NodeJS.ErrnoException;
      throw startFailed(spec.image, message, code === 'ENOENT' ? 127 : 126);
    }
    const pid = child.pid;
    const entry = pid === undefined ? undefined : findProcess(pid);
    if (pid !== undefined && entry !== undefined)
      this.#records.put({ ...record, pid, startTime: entry.startTime });
    if (signal?.aborted) {
      await this.stop(id, { graceMs: 0 });
      throw signal.reason;
    }
    const instance = this.#describe(this.#records.get(id) ?? record);
    return { ...instance, endpoint: { host: HOST, port } }; // even if it has exited already: events report that
  }

  /** SIGSTOP to the whole process group. @throws with code `INSTANCE_NOT_FOUND` */
  async pause(id: string): Promise<void> {
    this.#signal(id, 'SIGSTOP');
    // The kernel does not stop the processes at once; until then, one may still send an answer. A process that waits
    // for a broken disk or file server stops only when that answers.
    const deadline = performance.now() + PAUSE_TIMEOUT_MS;
    while (runningOf(this.#records.get(id))?.stopped === false && performance.now() < deadline)
      await sleep(1);
  }

  /** SIGCONT to the whole process group. @throws with code `INSTANCE_NOT_FOUND` */
  async resume(id: string): Promise<void> {
    this.#signal(id, 'SIGCONT');
  }

  /** SIGTERM to the process group, after the grace period (in milliseconds, default 10,000) SIGKILL. */
  async stop(id: string, { graceMs = 10_000 }: { graceMs?: number } = {}): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    if (runningOf(record) !== undefined && graceMs > 0) {
      signalGroup(record, 'SIGTERM');
      signalGroup(record, 'SIGCONT');
      await ended(record, graceMs);
    }
    signalGroup(record, 'SIGKILL'); // and the rest of its group
    await ended(record, 10_000);
    this.#forget(record);
  }

  /** The process as it is now; undefined if it is not ours or has been stopped. */
  async inspect(id: string): Promise<InspectedInstance | undefined> {
    const record = this.#records.get(id);
    return record && this.#describe(record);
  }

  /** All processes of this state directory. */
  async list(): Promise<InspectedInstance[]> {
    return this.#records.all().map((record) => {
      this.#portsInUse.add(record.port);
      return this.#describe(this.#complete(record));
    });
  }

  /** The last lines the process wrote to stdout and stderr, oldest first. @throws with code `INSTANCE_NOT_FOUND` */
  async logs(id: string, { lines = LAST_LOG_LINES }: { lines?: number } = {}): Promise<string[]> {
    if (this.#records.get(id) === undefined) throw instanceNotFound(id);
    return lastLines(this.#records.logFile(id), lines);
  }

  /**
   * The last lines and those that follow, until the process ends or the signal is aborted. @throws with
   * code `INSTANCE_NOT_FOUND`
   */
  async *followLogs(
    id: string,
    { lines = LAST_LOG_LINES, signal }: { lines?: number; signal: AbortSignal },
  ): AsyncGenerator<string> {
    if (this.#records.get(id) === undefined) throw instanceNotFound(id);
    const isOver = () => runningOf(this.#records.get(id)) === undefined;
    yield* followFile(this.#records.logFile(id), { count: lines, ended: isOver, signal });
  }

  /** Yields what happens to the processes and the services file, until the signal is aborted. */
  async *watch(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const queue: RuntimeEvent[] = [{ type: 'connected' }];
    let wake = () => {};
    const push = (event: RuntimeEvent) => {
      queue.push(event);
      wake();
    };
    this.#events.on('event', push);
    const seen = new Map<string, InspectedInstance['state']>();
    let services = versionOf(this.#servicesFile);
    const timer = setInterval(() => {
      try {
        this.#look(seen);
      } catch {
        // What cannot be looked at now, for example without free file descriptors, is looked at next time.
      }
      const before = services;
      services = versionOf(this.#servicesFile);
      if (services !== before) push({ type: 'images-changed' });
    }, LOOK_INTERVAL_MS);
    const end = () => wake();
    signal.addEventListener('abort', end);
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      clearInterval(timer);
      this.#events.off('event', push);
      signal.removeEventListener('abort', end);
    }
  }

  async close(): Promise<void> {}

  // Private

  #openLog(record: ProcessRecord, image: string): number {
    try {
      return openSync(this.#records.logFile(record.id), 'a', 0o600);
    } catch (error) {
      this.#forget(record);
      throw startFailed(image, `its log cannot be written: ${(error as Error).message}`);
    }
  }

  #look(seen: Map<string, InspectedInstance['state']>): void {
    for (const record of this.#records.all()) {
      const { id, state } = this.#describe(record);
      const before = seen.get(id);
      seen.set(id, state);
      if (state === 'exited') {
        // Children report their exit themselves.
        if (before !== 'exited' && !this.#children.has(id)) this.#exited(id, null, null);
      } else if (before !== undefined && before !== state) {
        this.#events.emit('event', { type: state === 'paused' ? 'paused' : 'resumed', id });
      }
      boundLog(this.#records.logFile(id));
    }
  }

  #exited(id: string, code: number | null, signal: NodeJS.Signals | null): void {
    const exitCode = code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGTERM' ? 143 : -1);
    const exit = { exitCode, oomKilled: false };
    this.#exits.set(id, exit);
    this.#children.delete(id);
    this.#events.emit('event', { type: 'exited', id, ...exit });
  }

  #describe(record: ProcessRecord): InspectedInstance {
    const { id, service, revision, spec, port } = record;
    const running = runningOf(record);
    return {
      id,
      service,
      revision,
      spec,
      state: running === undefined ? 'exited' : running.stopped ? 'paused' : 'running',
      endpoint: running && { host: HOST, port },
      exit: running ? undefined : (this.#exits.get(id) ?? { exitCode: -1, oomKilled: false }),
    };
  }

  /** Finds the pid for a record that was written just before its writer was killed. */
  #complete(record: ProcessRecord): ProcessRecord {
    if (record.pid !== undefined || this.#children.has(record.id)) return record;
    const pid = findByEnvironment(`CLESS_INSTANCE=${record.id}`);
    const entry = pid === undefined ? undefined : findProcess(pid);
    if (pid === undefined || entry === undefined) return record;
    const complete = { ...record, pid, startTime: entry.startTime };
    this.#records.put(complete);
    return complete;
  }

  #signal(id: string, signal: NodeJS.Signals): void {
    const record = this.#records.get(id);
    if (record === undefined || !signalGroup(record, signal)) throw instanceNotFound(id);
  }

  #forget(record: ProcessRecord): void {
    this.#records.delete(record.id);
    this.#exits.delete(record.id);
    this.#children.delete(record.id);
    this.#portsInUse.delete(record.port);
  }

  async #takePort(): Promise<number> {
    clearLockedPorts(); // get-port remembers ports for 30 s at most, we for as long as the process runs
    const port = await getPort({ host: HOST, exclude: this.#portsInUse });
    this.#portsInUse.add(port);
    return port;
  }
}
