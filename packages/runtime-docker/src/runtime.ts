import type {
  InspectedInstance,
  InstanceSpec,
  PartialSpec,
  Refusal,
  RunningInstance,
  RuntimeEvent,
  RuntimeInstance,
  ServiceVolumes,
} from '@cless/model';
import { specHash } from './container/config.ts';
import { Containers } from './container/containers.ts';
import { HostPaths } from './container/host-paths.ts';
import type { Listener } from './container/listening.ts';
import { PortRange } from './container/ports.ts';
import { Starter, type StartOptions } from './container/start.ts';
import { engineAddress } from './engine/address.ts';
import { Engine } from './engine/engine.ts';
import { watchEvents } from './engine/events.ts';
import { type Image, Images } from './engine/images.ts';
import { followLogs } from './engine/logs.ts';
import { pullImage } from './engine/pull.ts';
import { instanceNotFound, isRefusal } from './failures.ts';
import { LABELS } from './labels.ts';
import { JoinedNetworks, OwnNetwork } from './owner/network.ts';
import { type Holder, OwnerRecord } from './owner/record.ts';
import { Volumes } from './owner/volumes.ts';
import { Reaper } from './run/reaper.ts';
import { type Run, Runner, type RunOptions } from './run/run.ts';

export interface DockerRuntimeOptions {
  /** Whose containers these are: the `cless.owner` label. No other containers are ever touched. */
  readonly owner: string;
  /** The published ports. Default 8000 to 9000. */
  readonly ports?: { readonly from: number; readonly to: number };
  /** `unix:///PATH`; the engine must be on this host. Default: as for the `docker` command. */
  readonly engine?: string;
  /** Folders of the host that may be mounted into containers, with everything below them. Default: none. */
  readonly hostPaths?: readonly string[];
  /**
   * The state directory that acts for the owner. If the owner is bound to another one, nothing is listed or started;
   * `takeOver` binds it to this one nevertheless. Default: not checked.
   */
  readonly holder?: Holder & { readonly takeOver?: boolean };
}

const LAST_LOG_LINES = 20;

/**
 * Runs instances as containers of a Docker Engine (API 1.41 or newer): hardened, with limits, published on 127.0.0.1,
 * labelled, on their owner's network without traffic between containers. Starts never pull an image.
 *
 * All methods throw with code `ENGINE_UNREACHABLE` when the engine does not answer.
 *
 * @example
 * const runtime = new DockerRuntime({ owner: 'example' });
 * const instance = await runtime.start({ service: 'web', revision: '1', image: 'golang-docker', port: 8080 });
 * console.log(instance.endpoint); // { host: '127.0.0.1', port: 8000 }
 * await runtime.stop(instance.id);
 */
export class DockerRuntime implements AsyncDisposable {
  readonly name = 'docker';
  readonly capabilities = { pause: true } as const;
  readonly owner: string;
  /** The volumes that the images of services declared. */
  readonly volumes: ServiceVolumes;
  readonly #engine: Engine;
  readonly #network: OwnNetwork;
  readonly #images: Images;
  readonly #containers: Containers;
  readonly #starter: Starter;
  readonly #runner: Runner;
  readonly #hostPaths: HostPaths;
  readonly #joinedNetworks: JoinedNetworks;
  readonly #record: OwnerRecord | undefined;
  #takeOver: boolean;
  #isHeld = false;

  constructor({
    owner,
    ports: { from, to } = { from: 8000, to: 9000 },
    engine: address = engineAddress(),
    hostPaths = [],
    holder,
  }: DockerRuntimeOptions) {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(owner)) {
      throw new TypeError(
        `owner ${JSON.stringify(owner)}: allowed are up to 63 letters, digits, dots, hyphens and underscores`,
      );
    }
    const engine = new Engine(address);
    const ports = new PortRange(from, to);
    this.owner = owner;
    this.#engine = engine;
    this.#network = new OwnNetwork(engine, owner);
    this.#images = new Images(engine);
    const volumes = new Volumes(engine, owner);
    this.volumes = volumes;
    this.#containers = new Containers(engine, owner, ports);
    this.#hostPaths = new HostPaths(hostPaths);
    this.#joinedNetworks = new JoinedNetworks(engine);
    this.#record = holder && new OwnerRecord(engine, owner, holder);
    this.#takeOver = holder?.takeOver ?? false;
    this.#starter = new Starter({
      engine,
      owner,
      state: holder?.id,
      ports,
      network: this.#network,
      joinedNetworks: this.#joinedNetworks,
      images: this.#images,
      containers: this.#containers,
      volumes,
      hostPaths: this.#hostPaths,
    });
    this.#runner = new Runner({
      images: this.#images,
      containers: this.#containers,
      starter: this.#starter,
      reaper: new Reaper(engine, owner, this.#containers),
    });
  }

  /** Creates the network ahead of the first start, which would otherwise wait for it. */
  async prepare(): Promise<void> {
    await this.#network.get();
  }

  /**
   * Makes sure that the owner is bound to the `holder`. Call it regularly: the record in the engine may be pruned.
   *
   * @throws with code `OWNER_TAKEN`
   */
  async hold(): Promise<void> {
    this.#isHeld = false;
    await this.#record?.hold({ takeOver: this.#takeOver });
    this.#takeOver = false;
    this.#isHeld = true;
  }

  /** The image with that id or reference; undefined if it is not on the host. */
  async image(reference: string): Promise<Image | undefined> {
    return this.#images.find(reference);
  }

  /** All images on the host with a name: name → id. */
  async listImages(): Promise<ReadonlyMap<string, string>> {
    return this.#images.all();
  }

  /**
   * Pulls an image; no other method does. The default tag is `latest`.
   *
   * @param onProgress called with each line of progress
   * @throws with code `PULL_FAILED` or the signal's reason
   */
  async pull(
    reference: string,
    { onProgress, signal }: { onProgress?: (line: string) => void; signal?: AbortSignal } = {},
  ): Promise<void> {
    await pullImage(this.#engine, reference, { onProgress, signal });
  }

  /** The host paths and networks of a spec that a start would fail for. */
  async refusals(spec: PartialSpec): Promise<Refusal[]> {
    return [...this.#hostPaths.refusals(spec), ...(await this.#joinedNetworks.refusals(spec))];
  }

  /** What {@link RuntimeInstance.spec} would be for this spec. */
  specHash(spec: InstanceSpec): string {
    return specHash(spec);
  }

  /**
   * Creates and starts a container. When this resolves it runs, but may not answer yet; when it rejects, nothing is
   * left of it.
   *
   * @throws with code `IMAGE_NOT_FOUND`, `NETWORK_NOT_FOUND`, `NO_ADDRESS_POOL`, `NO_FREE_PORT` or `START_FAILED`
   * @throws the signal's reason
   */
  async start(spec: InstanceSpec, options: StartOptions = {}): Promise<RunningInstance> {
    if (!this.#isHeld) await this.hold();
    return this.#starter.start(spec, options);
  }

  /**
   * Runs a container for this process alone, and waits until it is ready: `await using` removes it. It appears in no
   * list, since it belongs to its holder. What a killed process has left is removed by the next run of the same
   * owner.
   *
   * @throws with code `START_FAILED`, also if it exits before it is ready, with what it wrote last; and as {@link start}
   * @example
   * await using runtime = new DockerRuntime({ owner: 'my-tests' });
   * await using web = await runtime.run({ image: 'golang-docker' });
   * const answer = await fetch(`http://${web.endpoint.host}:${web.endpoint.port}/`);
   */
  async run(options: RunOptions): Promise<Run> {
    if (!this.#isHeld) await this.hold();
    return this.#runner.run(options);
  }

  /** Freezes all processes of the container (cgroup freezer). @throws with code `INSTANCE_NOT_FOUND` */
  async pause(id: string): Promise<void> {
    await this.#containers.pause(id);
  }

  /** Unfreezes them. @throws with code `INSTANCE_NOT_FOUND` */
  async resume(id: string): Promise<void> {
    await this.#containers.resume(id);
  }

  /**
   * Stops the container (SIGTERM, after the grace period SIGKILL) and removes it. Named volumes stay. Does nothing if
   * it does not exist.
   *
   * @param graceMs in milliseconds, default 10,000; zero kills at once
   */
  async stop(id: string, { graceMs = 10_000 }: { graceMs?: number } = {}): Promise<void> {
    await this.#containers.stop(id, graceMs);
  }

  /** The container as it is now; undefined if it does not exist. */
  async inspect(id: string): Promise<InspectedInstance | undefined> {
    return this.#containers.inspect(id);
  }

  /** All containers of this owner that were started, whatever their state. */
  async list(): Promise<RuntimeInstance[]> {
    if (!this.#isHeld) await this.hold();
    return this.#containers.list();
  }

  /**
   * The addresses that something in the container listens on; undefined if the container does not run, or the
   * engine's processes cannot be seen from here.
   */
  async listening(id: string): Promise<Listener[] | undefined> {
    return this.#containers.listening(id);
  }

  /** The last lines the container wrote to stdout and stderr, oldest first. @throws with code `INSTANCE_NOT_FOUND` */
  async logs(id: string, { lines = LAST_LOG_LINES }: { lines?: number } = {}): Promise<string[]> {
    return this.#containers.logs(id, lines);
  }

  /**
   * The last lines and those that follow, until the container ends or the signal is aborted. @throws with
   * code `INSTANCE_NOT_FOUND`
   */
  async *followLogs(
    id: string,
    { lines = LAST_LOG_LINES, signal }: { lines?: number; signal: AbortSignal },
  ): AsyncGenerator<string> {
    try {
      yield* followLogs(this.#engine, id, lines, signal);
    } catch (error) {
      throw isRefusal(error, 404) ? instanceNotFound(id) : error;
    }
  }

  /** Yields events of this owner's containers and of images, until the signal is aborted. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return watchEvents(this.#engine, (labels) => labels[LABELS.owner] === this.owner, signal);
  }

  /** Removes the network if it has no containers. */
  async close(): Promise<void> {
    await this.#runner.settled();
    await this.#starter.settled();
    await this.#network.remove();
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
