import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageInspectInfo } from 'dockerode';
import { Engine } from './engine.ts';
import { engineAddress } from './engine-address.ts';
import {
  EngineRefusedError,
  ImageNotFoundError,
  InstanceNotFoundError,
  NoFreePortError,
  StartFailedError,
} from './errors.ts';
import { type RuntimeEvent, watchEvents } from './events.ts';
import { HostPaths } from './host-paths.ts';
import { followLogs, logLines } from './logs.ts';
import { PortRange } from './ports.ts';
import { pullImage } from './pull.ts';
import { containerConfig, type InstanceSpec, LABELS, specHash } from './spec.ts';

/** Where an instance answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A container as the engine has it. */
export interface Instance {
  /** The container's id. */
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** The hash of the spec that it was started from; see {@link DockerRuntime.specHash}. */
  readonly spec: string;
  readonly state: 'running' | 'paused' | 'exited';
  /** Where it answers; nothing when it has exited. */
  readonly endpoint: Endpoint | undefined;
  /** How it ended, if it has exited. */
  readonly exit: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** An image on the host. */
export interface Image {
  readonly id: string;
  /** The TCP ports that it exposes. */
  readonly exposedPorts: readonly number[];
}

export interface StartOptions {
  /** Called when the container exists, before it is started. */
  readonly onCreated?: (id: string) => void;
}

export interface DockerRuntimeOptions {
  /** Whose containers these are: the `cless.owner` label. No other containers are ever touched. */
  readonly owner: string;
  /** The published ports. Default 8000 to 9000. */
  readonly ports?: { readonly from: number; readonly to: number };
  /** `unix:///…`, `tcp://…` or `ssh://…`. Default: as the `docker` command. */
  readonly engine?: string;
  /** Folders of the host that containers may be given, with all that is in them. Default: none. */
  readonly hostPaths?: readonly string[];
}

const LAST_LOG_LINES = 20;
const START_TIMEOUT_MS = 120_000;
/** How often a port that was free is found taken by the engine, before it is given up. */
const MAX_PORT_ATTEMPTS = 10;

/**
 * Instances as containers of a Docker Engine (API 1.41 or newer): hardened, bounded, published on 127.0.0.1,
 * labelled, on a network of their own without traffic between containers. It never pulls an image.
 *
 * All methods throw {@link EngineUnreachableError} when the engine does not answer.
 *
 * @example
 * const runtime = new DockerRuntime({ owner: 'example' });
 * const instance = await runtime.start({ service: 'web', revision: '1', image: 'golang-docker', port: 8080 });
 * console.log(instance.endpoint); // { host: '127.0.0.1', port: 8000 }
 * await runtime.stop(instance.id);
 */
export class DockerRuntime {
  readonly name = 'docker';
  readonly capabilities = { pause: true } as const;
  readonly owner: string;
  readonly #engine: Engine;
  readonly #ports: PortRange;
  readonly #portOf = new Map<string, number>();
  readonly #hostPaths: HostPaths;
  #network: Promise<string> | undefined;

  constructor({
    owner,
    ports = { from: 8000, to: 9000 },
    engine = engineAddress(),
    hostPaths = [],
  }: DockerRuntimeOptions) {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(owner)) {
      throw new TypeError(
        `owner ${JSON.stringify(owner)}: allowed are up to 63 letters, digits, dots, hyphens and underscores`,
      );
    }
    this.owner = owner;
    this.#engine = new Engine(engine);
    this.#hostPaths = new HostPaths(hostPaths);
    this.#ports = new PortRange(ports.from, ports.to);
  }

  /** Makes the network ahead of the first start, which would have to wait for it. */
  async prepare(): Promise<void> {
    await this.#ensureNetwork();
  }

  /** The image of that id or reference, if it is on the host. */
  async image(reference: string): Promise<Image | undefined> {
    const info = await this.#inspectImage(reference);
    const exposedPorts = Object.keys(info?.Config?.ExposedPorts ?? {})
      .filter((port) => port.endsWith('/tcp'))
      .map((port) => Number.parseInt(port, 10));
    return info && { id: info.Id, exposedPorts };
  }

  /**
   * Pulls an image, which nothing else does. Without a tag or a digest it is `:latest`.
   *
   * @param onProgress is told what the engine does, a line at a time
   * @throws {PullFailedError} or the signal's reason
   */
  async pull(
    reference: string,
    { onProgress, signal }: { onProgress?: (line: string) => void; signal?: AbortSignal } = {},
  ): Promise<void> {
    await pullImage(this.#engine, reference, { onProgress, signal });
  }

  /** What {@link Instance.spec} would be for this spec. */
  specHash(spec: InstanceSpec): string {
    return specHash(spec);
  }

  /**
   * Creates and starts a container; it runs when this resolves, but may not answer yet. Nothing is left of it
   * when this rejects.
   *
   * @throws {ImageNotFoundError} @throws {NoFreePortError} @throws {StartFailedError}
   */
  async start(spec: InstanceSpec, { onCreated }: StartOptions = {}): Promise<Instance> {
    const hostPaths = await this.#hostPaths.resolve(spec);
    const imageUser = spec.hardening === 'restricted' ? await this.#imageUser(spec.image) : '';
    const tried: number[] = [];
    while (tried.length < MAX_PORT_ATTEMPTS) {
      const port = await this.#ports.take(tried);
      const instance = await this.#startOn(port, spec, { imageUser, hostPaths }, onCreated);
      if (instance !== 'again') return instance;
      tried.push(port);
    }
    throw new NoFreePortError(this.#ports.from, this.#ports.to);
  }

  /** Freezes all processes of the container (cgroup freezer). @throws {InstanceNotFoundError} */
  async pause(id: string): Promise<void> {
    await this.#tolerate(id, 'already paused', () =>
      this.#engine.call('pause', () => this.#container(id).pause()),
    );
  }

  /** Lets them run on. @throws {InstanceNotFoundError} */
  async resume(id: string): Promise<void> {
    await this.#tolerate(id, 'not paused', () =>
      this.#engine.call('unpause', () => this.#container(id).unpause()),
    );
  }

  /**
   * Stops the container (SIGTERM, after the grace period SIGKILL) and removes it with its anonymous volumes.
   * One that is not there is none to complain of.
   *
   * @param graceMs in milliseconds, default 10,000; 0 kills at once
   */
  async stop(id: string, { graceMs = 10_000 }: { graceMs?: number } = {}): Promise<void> {
    if (graceMs > 0) {
      try {
        const instance = await this.inspect(id);
        if (instance?.state === 'paused') await this.resume(id); // a frozen process gets no signal
        if (instance !== undefined && instance.state !== 'exited') {
          await this.#engine.call('stop', () => this.#container(id).stop({ t: Math.ceil(graceMs / 1000) }), {
            timeoutMs: graceMs + 30_000,
          });
        }
      } catch (error) {
        if (!isGone(error) && !isStatus(error, 304)) throw error;
      }
    }
    await this.#remove(id);
  }

  /** The container as it is now; nothing if it does not exist. */
  async inspect(id: string): Promise<Instance | undefined> {
    try {
      const info = await this.#engine.call('inspect', () => this.#container(id).inspect());
      const labels = info?.Config?.Labels;
      const state = info?.State;
      if (labels === undefined || state === undefined) throw this.#engine.nonsense('inspect');
      const running = state.Running || state.Paused;
      const port = Object.values(info.NetworkSettings?.Ports ?? {}).flatMap((bindings) => bindings ?? [])[0]
        ?.HostPort;
      return {
        ...identity(info.Id, labels),
        state: state.Paused ? 'paused' : running ? 'running' : 'exited',
        endpoint: running && port !== undefined ? { host: '127.0.0.1', port: Number(port) } : undefined,
        exit: running ? undefined : { exitCode: state.ExitCode, oomKilled: state.OOMKilled },
      };
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** All containers of this owner, whatever their state. */
  async list(): Promise<Instance[]> {
    const label = [`${LABELS.managed}=true`, `${LABELS.owner}=${this.owner}`];
    const containers = await this.#engine.call('list', () =>
      this.#engine.docker.listContainers({ all: true, filters: { label } }),
    );
    if (!Array.isArray(containers)) throw this.#engine.nonsense('list');
    return containers.map((container) => {
      const port = container.Ports?.find(({ PublicPort, Type }) => PublicPort && Type === 'tcp')?.PublicPort;
      const running = container.State === 'running' || container.State === 'paused';
      if (running && port !== undefined) this.#claim(container.Id, port);
      return {
        ...identity(container.Id, container.Labels),
        state: container.State === 'paused' ? 'paused' : running ? 'running' : 'exited',
        endpoint: running && port !== undefined ? { host: '127.0.0.1', port } : undefined,
        exit: undefined,
      };
    });
  }

  /** What the container wrote last to stdout and stderr, oldest first. @throws {InstanceNotFoundError} */
  async logs(id: string, { lines = LAST_LOG_LINES }: { lines?: number } = {}): Promise<string[]> {
    try {
      const frames = await this.#engine.call('logs', () =>
        this.#container(id).logs({ stdout: true, stderr: true, tail: lines, follow: false }),
      );
      return Buffer.isBuffer(frames) ? logLines(frames) : [];
    } catch (error) {
      throw isStatus(error, 404) ? new InstanceNotFoundError(id) : error;
    }
  }

  /** The last lines, and those that follow, until the container ends or the signal. @throws {InstanceNotFoundError} */
  async *followLogs(
    id: string,
    { lines = LAST_LOG_LINES, signal }: { lines?: number; signal: AbortSignal },
  ): AsyncGenerator<string> {
    try {
      yield* followLogs(this.#engine, id, lines, signal);
    } catch (error) {
      throw isStatus(error, 404) ? new InstanceNotFoundError(id) : error;
    }
  }

  /** Follows what happens to this owner's containers and to images, until the signal. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return watchEvents(this.#engine, this.owner, signal);
  }

  /** Removes the network, if no container is on it. */
  async close(): Promise<void> {
    await this.#network?.catch(() => {}); // it may just be made
    this.#network = undefined;
    await this.#engine
      .call('remove network', () => this.#engine.docker.getNetwork(this.#networkName).remove())
      .catch(() => {}); // in use or gone: both are fine
  }

  // Private

  async #startOn(
    hostPort: number,
    spec: InstanceSpec,
    placement: { readonly imageUser: string; readonly hostPaths: ReadonlyMap<string, string> },
    onCreated: StartOptions['onCreated'],
  ): Promise<Instance | 'again'> {
    // A name that we choose: when the engine does not answer in time we still know what to remove.
    const name = `cless-${spec.service.slice(0, 63)}-${randomBytes(6).toString('hex')}`;
    let id: string | undefined;
    try {
      const network = await this.#ensureNetwork();
      const config = containerConfig(spec, { ...placement, owner: this.owner, network, hostPort });
      const { id: created } = await this.#engine.call('create', () =>
        this.#engine.docker.createContainer({ ...config, name }),
      );
      if (typeof created !== 'string') throw this.#engine.nonsense('create');
      id = created;
      this.#claim(id, hostPort);
      onCreated?.(id);
      for (const joined of spec.networks ?? []) {
        await this.#engine.call('connect network', () =>
          this.#engine.docker.getNetwork(joined).connect({ Container: created }),
        );
      }
      await this.#engine.call('start', () => this.#container(created).start(), {
        timeoutMs: START_TIMEOUT_MS,
      });
      const instance = await this.inspect(id);
      if (instance === undefined) throw new StartFailedError(spec.image, 'it was removed while it started');
      if (instance.state === 'exited') throw await this.#exitedEarly(instance, spec.image);
      if (instance.endpoint === undefined)
        throw new StartFailedError(spec.image, 'the engine published no port');
      return instance;
    } catch (error) {
      this.#ports.release(hostPort);
      await this.#discard(id ?? name);
      if (isPortTaken(error)) return 'again';
      if (isNetworkGone(error) && !spec.networks?.some((joined) => String(error).includes(joined))) {
        this.#network = undefined; // pruned, or removed by a predecessor that was just leaving
        return 'again';
      }
      if (isStatus(error, 404) && /no such image/i.test(String(error)))
        throw new ImageNotFoundError(spec.image);
      if (error instanceof EngineRefusedError) throw startRefused(spec.image, error);
      throw error;
    }
  }

  async #exitedEarly(instance: Instance, image: string): Promise<StartFailedError> {
    const lastLogLines = await this.logs(instance.id).catch(() => []);
    const exit = instance.exit ?? { exitCode: -1, oomKilled: false };
    return new StartFailedError(image, describeExit(exit.exitCode, exit.oomKilled), {
      ...exit,
      lastLogLines,
    });
  }

  /** Removes what may be left of a start that failed; if the engine is gone, its owner's next list finds it. */
  async #discard(idOrName: string): Promise<void> {
    await this.#remove(idOrName).catch(() => {});
  }

  async #remove(id: string): Promise<void> {
    for (;;) {
      try {
        await this.#engine.call('remove', () => this.#container(id).remove({ force: true, v: true }));
      } catch (error) {
        if (isStatus(error, 409)) {
          await sleep(50); // "removal is already in progress": gone when it says so
          continue;
        }
        if (!isStatus(error, 404)) throw error;
      }
      const port = this.#portOf.get(id);
      if (port !== undefined) this.#ports.release(port);
      this.#portOf.delete(id);
      return;
    }
  }

  #claim(id: string, port: number): void {
    this.#portOf.set(id, port);
    this.#ports.claim(port);
  }

  async #inspectImage(reference: string): Promise<ImageInspectInfo | undefined> {
    try {
      const info = await this.#engine.call('inspect image', () =>
        this.#engine.docker.getImage(reference).inspect(),
      );
      if (typeof info?.Id !== 'string') throw this.#engine.nonsense('inspect image');
      return info;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async #imageUser(reference: string): Promise<string> {
    const info = await this.#inspectImage(reference);
    if (info === undefined) throw new ImageNotFoundError(reference);
    return info.Config?.User ?? '';
  }

  get #networkName(): string {
    return `cless-${this.owner}`;
  }

  #ensureNetwork(): Promise<string> {
    this.#network ??= this.#createNetwork().catch((error: unknown) => {
      this.#network = undefined;
      throw error;
    });
    return this.#network;
  }

  async #createNetwork(): Promise<string> {
    const name = this.#networkName;
    try {
      await this.#engine.call('create network', () =>
        this.#engine.docker.createNetwork({
          Name: name,
          CheckDuplicate: true,
          Driver: 'bridge',
          Options: { 'com.docker.network.bridge.enable_icc': 'false' },
          Labels: { [LABELS.managed]: 'true', [LABELS.owner]: this.owner },
        }),
      );
    } catch (error) {
      if (!isStatus(error, 409)) throw error; // it is there already
    }
    return name;
  }

  #container(id: string) {
    return this.#engine.docker.getContainer(id);
  }

  /** Pausing what is paused is done; pausing what does not run (any more) is INSTANCE_NOT_FOUND. */
  async #tolerate(id: string, already: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof EngineRefusedError)) throw error;
      if (error.message.includes(already)) return;
      if (
        error.status === 404 ||
        error.status === 409 ||
        /is not running|no such process/i.test(error.message)
      ) {
        throw new InstanceNotFoundError(id);
      }
      throw error;
    }
  }
}

function identity(id: string, labels: Readonly<Record<string, string>>) {
  return {
    id,
    service: labels[LABELS.service] ?? '',
    revision: labels[LABELS.revision] ?? '',
    spec: labels[LABELS.spec] ?? '',
  };
}

/** "exited with code 3", "was killed: out of memory". */
function describeExit(exitCode: number, oomKilled: boolean): string {
  return oomKilled ? 'it was killed: out of memory' : `it exited with code ${exitCode}`;
}

function startRefused(image: string, error: EngineRefusedError): StartFailedError {
  // The shell's codes, which the engine gives such containers, too: 126 not executable, 127 not found.
  const exitCode = /permission denied/.test(error.message)
    ? 126
    : /not found|no such file/.test(error.message)
      ? 127
      : undefined;
  return new StartFailedError(image, error.message, {
    cause: error,
    ...(exitCode !== undefined && { exitCode }),
  });
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof EngineRefusedError && error.status === status;
}

function isGone(error: unknown): boolean {
  return isStatus(error, 404) || error instanceof InstanceNotFoundError;
}

function isPortTaken(error: unknown): boolean {
  return (
    error instanceof EngineRefusedError &&
    /port is already allocated|address already in use/i.test(error.message)
  );
}

function isNetworkGone(error: unknown): boolean {
  return error instanceof EngineRefusedError && /network \S+ not found/i.test(error.message);
}
