import { randomBytes } from 'node:crypto';
import {
  type Failed,
  type Failure,
  hasCode,
  type InspectedInstance,
  type InstanceSpec,
  type RunningInstance,
} from '@cless/model';
import type { ContainerCreateOptions } from 'dockerode';
import type { Engine } from '../engine/engine.ts';
import { describeExit } from '../engine/exit.ts';
import type { Images } from '../engine/images.ts';
import { imageNotFound, isRefusal, networkNotFound, startFailed } from '../failures.ts';
import type { JoinedNetworks, OwnNetwork } from '../owner/network.ts';
import type { Volumes } from '../owner/volumes.ts';
import { containerConfig } from './config.ts';
import type { Containers } from './containers.ts';
import type { HostPaths } from './host-paths.ts';
import type { PortRange } from './ports.ts';

export interface StartOptions {
  /**
   * Called when the container has been created, before it is started. Called again if the start is retried with
   * another container, because a port was taken or the network was gone; the previous one is removed.
   */
  readonly onCreated?: (id: string) => void;
  /** Aborts the start; what was created for it is removed. */
  readonly signal?: AbortSignal;
}

/** What a start needs. */
interface StartParts {
  readonly engine: Engine;
  readonly owner: string;
  readonly state: string | undefined;
  readonly ports: PortRange;
  readonly network: OwnNetwork;
  readonly joinedNetworks: JoinedNetworks;
  readonly images: Images;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly hostPaths: HostPaths;
}

/** How often to try a start, each time with another port or network. */
const MAX_ATTEMPTS = 10;
const START_TIMEOUT_MS = 120_000;
/**
 * How long a failed start waits for its container to be removed, in milliseconds. After that, the removal goes on in
 * the background.
 */
const REMOVAL_WAIT_MS = 2_000;

/** Creates and starts containers. Removes those that do not start. */
export class Starter {
  readonly #parts: StartParts;
  readonly #removals = new Set<Promise<void>>();

  constructor(parts: StartParts) {
    this.#parts = parts;
  }

  /**
   * @param maker the process that uses and removes the container; undefined if the container may outlive us
   * @throws with code `IMAGE_NOT_FOUND`, `NETWORK_NOT_FOUND`, `NO_ADDRESS_POOL`, `NO_FREE_PORT` or `START_FAILED`
   * @throws the signal's reason
   */
  async start(
    spec: InstanceSpec,
    { onCreated, signal, maker }: StartOptions & { readonly maker?: string } = {},
  ): Promise<RunningInstance> {
    const { ports, images, hostPaths, joinedNetworks } = this.#parts;
    signal?.throwIfAborted();
    const { user, volumes } = await images.facts(spec.image);
    const placement = {
      hostPaths: await hostPaths.resolve(spec),
      imageUser: user,
      // For a container without a service, the engine creates anonymous volumes, which are removed with it.
      imageVolumes: maker === undefined ? volumes : [],
      maker,
      joined: await joinedNetworks.find(spec.networks ?? []),
    };
    const tried: number[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      signal?.throwIfAborted();
      const port = await ports.take(tried);
      const outcome = await this.#startOn(port, spec, placement, { onCreated, signal });
      if (typeof outcome === 'object') return outcome;
      if (outcome === 'port taken') tried.push(port);
    }
    throw ports.noneFree();
  }

  /** Waits a short time for the removal of what failed starts have left. */
  async settled(): Promise<void> {
    await this.#atMost(REMOVAL_WAIT_MS, Promise.all(this.#removals));
  }

  // Private

  async #startOn(
    hostPort: number,
    spec: InstanceSpec,
    placement: Placement,
    { onCreated, signal }: { onCreated: StartOptions['onCreated']; signal: AbortSignal | undefined },
  ): Promise<RunningInstance | 'port taken' | 'network gone'> {
    const { engine, owner, state, ports, containers } = this.#parts;
    // We choose the name, so that we know what to remove if the engine does not answer in time.
    const name = `cless-${spec.service.slice(0, 63)}-${randomBytes(6).toString('hex')}`;
    let network: string | undefined;
    let creation: Promise<string> | undefined;
    try {
      network = await this.#parts.network.get();
      const config = containerConfig(spec, { ...placement, owner, state, network, hostPort });
      // Not aborted by the signal: the engine might create the container nevertheless, and nobody would know its id.
      creation = this.#create({ ...config, name });
      const id = await unlessAborted(creation, signal);
      ports.claim(hostPort, id);
      onCreated?.(id);
      for (const joined of placement.joined) {
        await engine.call(
          'connect network',
          (docker) => docker.getNetwork(joined).connect({ Container: id }),
          { signal },
        );
      }
      await engine.call('start', (docker) => docker.getContainer(id).start(), {
        timeoutMs: START_TIMEOUT_MS,
        lane: 'slow',
        signal,
      });
      const instance = await containers.inspect(id);
      if (instance === undefined) throw startFailed(spec.image, 'it was removed while it started');
      if (instance.state === 'exited') throw await this.#exitedEarly(instance, spec.image);
      const { endpoint } = instance;
      if (endpoint === undefined) throw startFailed(spec.image, 'the engine published no port');
      signal?.throwIfAborted();
      return { ...instance, endpoint };
    } catch (error) {
      await this.#discard(creation, name, hostPort);
      if (isPortTaken(error)) return 'port taken';
      const gone = lostNetwork(error);
      if (gone !== undefined && network !== undefined && [network, this.#parts.network.name].includes(gone)) {
        this.#parts.network.forget(network); // pruned, or removed by a previous proxy that was just ending
        return 'network gone';
      }
      if (gone !== undefined) throw networkNotFound(spec.networks?.[placement.joined.indexOf(gone)] ?? gone);
      if (isRefusal(error, 404) && /no such image/i.test(String(error))) throw imageNotFound(spec.image);
      if (hasCode(error, 'ENGINE_REFUSED')) throw startRefused(spec.image, error);
      throw error;
    }
  }

  /** The engine creates the volumes even if it refuses the container; remove the new ones again. */
  async #create(config: ContainerCreateOptions): Promise<string> {
    const { engine, volumes } = this.#parts;
    const named = (config.HostConfig?.Mounts ?? []).filter(({ Type }) => Type === 'volume');
    const fresh = await volumes.missing(named.map(({ Source }) => Source));
    try {
      const { id } = await engine.call('create', (docker) => docker.createContainer(config), {
        lane: 'slow',
      });
      if (typeof id !== 'string') throw engine.nonsense('create');
      return id;
    } catch (error) {
      if (hasCode(error, 'ENGINE_REFUSED')) await volumes.discard(fresh);
      throw error;
    }
  }

  /** Removes what may have been created. If the engine is gone, the owner's next list finds it. */
  async #discard(creation: Promise<string> | undefined, name: string, hostPort: number): Promise<void> {
    const { containers, ports } = this.#parts;
    const removal = (async () => {
      if (creation === undefined) return ports.release(hostPort);
      const id = await creation.catch(() => undefined);
      if (id === undefined) ports.release(hostPort);
      else ports.claim(hostPort, id);
      await containers.remove(id ?? name);
    })().catch(() => {});
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
    await this.#atMost(REMOVAL_WAIT_MS, removal);
  }

  async #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([work, enough]);
    clearTimeout(timer);
  }

  async #exitedEarly(instance: InspectedInstance, image: string): Promise<Failure> {
    const lastLogLines = await this.#parts.containers.lastWords(instance.id);
    const exit = instance.exit ?? { exitCode: -1, oomKilled: false };
    return startFailed(image, describeExit(exit), {
      ...exit,
      lastLogLines,
    });
  }
}

/** What a start finds out before it takes a port. */
interface Placement {
  readonly imageUser: string;
  readonly imageVolumes: readonly string[];
  readonly maker: string | undefined;
  readonly hostPaths: ReadonlyMap<string, string>;
  /** Ids of the networks to join, in the order of the spec. */
  readonly joined: readonly string[];
}

/** Settles like the promise, or rejects with the signal's reason if that is aborted first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function startRefused(image: string, error: Failed<'ENGINE_REFUSED'>): Failure {
  // The exit codes of a shell, which the engine uses too: 126 not executable, 127 not found.
  const exitCode = /permission denied/.test(error.message)
    ? 126
    : /not found|no such file/.test(error.message)
      ? 127
      : undefined;
  return startFailed(image, error.message, {
    cause: error,
    ...(exitCode !== undefined && { exitCode }),
  });
}

function isPortTaken(error: unknown): boolean {
  return (
    hasCode(error, 'ENGINE_REFUSED') &&
    /port is already allocated|address already in use/i.test(error.message)
  );
}

/** The network that the engine reports as missing or ambiguous; undefined if the error is another one. */
function lostNetwork(error: unknown): string | undefined {
  if (!hasCode(error, 'ENGINE_REFUSED')) return undefined;
  return /network (\S+) (?:not found|is ambiguous)/i.exec(error.message)?.[1];
}
