import { randomBytes } from 'node:crypto';
import type { Containers } from './containers.ts';
import type { Engine } from './engine.ts';
import {
  EngineRefusedError,
  ImageNotFoundError,
  isRefusal,
  NoFreePortError,
  StartFailedError,
} from './errors.ts';
import type { HostPaths } from './host-paths.ts';
import type { Images } from './images.ts';
import { describeExit, type Instance } from './instance.ts';
import type { OwnNetwork } from './network.ts';
import type { PortRange } from './ports.ts';
import { containerConfig, type InstanceSpec } from './spec.ts';

export interface StartOptions {
  /**
   * Called when a container exists, before it is started. Called again where the start is tried again with another
   * container, because a port was taken or the network was gone; the one before is removed then.
   */
  readonly onCreated?: (id: string) => void;
  /** Gives the start up; what was made for it is removed. */
  readonly signal?: AbortSignal;
}

/** What a start needs, and knows before it has a port. */
interface Surroundings {
  readonly engine: Engine;
  readonly owner: string;
  readonly ports: PortRange;
  readonly network: OwnNetwork;
  readonly images: Images;
  readonly containers: Containers;
  readonly hostPaths: HostPaths;
}

/** How often a port that was free is found taken by the engine, before it is given up. */
const MAX_PORT_ATTEMPTS = 10;
const START_TIMEOUT_MS = 120_000;
const LAST_LOG_LINES = 20;

/** Creates and starts containers. Nothing is left of those that do not start. */
export class Starter {
  readonly #parts: Surroundings;

  constructor(parts: Surroundings) {
    this.#parts = parts;
  }

  /** @throws {ImageNotFoundError} @throws {NoFreePortError} @throws {StartFailedError} */
  async start(spec: InstanceSpec, { onCreated, signal }: StartOptions = {}): Promise<Instance> {
    const { ports, images, hostPaths } = this.#parts;
    signal?.throwIfAborted();
    const { user, volumes } = await images.facts(spec.image);
    const placement = {
      hostPaths: await hostPaths.resolve(spec),
      imageUser: user,
      imageVolumes: volumes,
    };
    const tried: number[] = [];
    while (tried.length < MAX_PORT_ATTEMPTS) {
      const port = await ports.take(tried);
      const instance = await this.#startOn(port, spec, placement, onCreated);
      if (instance !== 'again') return instance;
      tried.push(port);
    }
    throw new NoFreePortError(ports.from, ports.to);
  }

  // Private

  async #startOn(
    hostPort: number,
    spec: InstanceSpec,
    placement: {
      readonly imageUser: string;
      readonly imageVolumes: readonly string[];
      readonly hostPaths: ReadonlyMap<string, string>;
    },
    onCreated: StartOptions['onCreated'],
  ): Promise<Instance | 'again'> {
    const { engine, owner, ports, containers } = this.#parts;
    // A name that we choose: when the engine does not answer in time we still know what to remove.
    const name = `cless-${spec.service.slice(0, 63)}-${randomBytes(6).toString('hex')}`;
    let id: string | undefined;
    try {
      const network = await this.#parts.network.get();
      const config = containerConfig(spec, { ...placement, owner, network, hostPort });
      const { id: created } = await engine.call('create', (docker) =>
        docker.createContainer({ ...config, name }),
      );
      if (typeof created !== 'string') throw engine.nonsense('create');
      id = created;
      ports.claim(hostPort, id);
      onCreated?.(id);
      for (const joined of spec.networks ?? []) {
        await engine.call('connect network', (docker) =>
          docker.getNetwork(joined).connect({ Container: created }),
        );
      }
      await engine.call('start', (docker) => docker.getContainer(created).start(), {
        timeoutMs: START_TIMEOUT_MS,
      });
      const instance = await containers.inspect(id);
      if (instance === undefined) throw new StartFailedError(spec.image, 'it was removed while it started');
      if (instance.state === 'exited') throw await this.#exitedEarly(instance, spec.image);
      if (instance.endpoint === undefined)
        throw new StartFailedError(spec.image, 'the engine published no port');
      return instance;
    } catch (error) {
      if (id === undefined) ports.release(hostPort);
      // If the engine is gone, its owner's next list finds it.
      await containers.remove(id ?? name).catch(() => {});
      if (isPortTaken(error)) return 'again';
      if (isNetworkGone(error) && !spec.networks?.some((joined) => String(error).includes(joined))) {
        this.#parts.network.forget(); // pruned, or removed by a predecessor that was just leaving
        return 'again';
      }
      if (isRefusal(error, 404) && /no such image/i.test(String(error)))
        throw new ImageNotFoundError(spec.image);
      if (error instanceof EngineRefusedError) throw startRefused(spec.image, error);
      throw error;
    }
  }

  async #exitedEarly(instance: Instance, image: string): Promise<StartFailedError> {
    const lastLogLines = await this.#parts.containers.logs(instance.id, LAST_LOG_LINES).catch(() => []);
    const exit = instance.exit ?? { exitCode: -1, oomKilled: false };
    return new StartFailedError(image, describeExit(exit.exitCode, exit.oomKilled), {
      ...exit,
      lastLogLines,
    });
  }
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

function isPortTaken(error: unknown): boolean {
  return (
    error instanceof EngineRefusedError &&
    /port is already allocated|address already in use/i.test(error.message)
  );
}

function isNetworkGone(error: unknown): boolean {
  return error instanceof EngineRefusedError && /network \S+ not found/i.test(error.message);
}
