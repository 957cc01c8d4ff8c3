import { Failure, hasCode, type PartialSpec, type Refusal } from '@cless/model';
import type { NetworkInspectInfo } from 'dockerode';
import type { Engine } from '../engine/engine.ts';
import { isRefusal, networkNotFound } from '../failures.ts';
import { LABELS } from '../labels.ts';

type Listed = Pick<NetworkInspectInfo, 'Id' | 'Name' | 'Created' | 'Labels'>;

/**
 * The network that an owner's containers share, without traffic between them. It is identified by its id, not its
 * name: asked concurrently, the engine creates several networks of one name and then refuses the name as ambiguous.
 * If there are several, the oldest is used.
 */
export class OwnNetwork {
  readonly name: string;
  readonly #engine: Engine;
  readonly #owner: string;
  #found: Promise<string> | undefined;
  /** The result of `#found`. */
  #id: string | undefined;

  constructor(engine: Engine, owner: string) {
    this.#engine = engine;
    this.#owner = owner;
    this.name = `cless-${owner}`;
  }

  /**
   * The id of the network, which is created if it does not exist. Concurrent calls share one creation. @throws with
   * code `NO_ADDRESS_POOL`
   */
  get(): Promise<string> {
    this.#found ??= this.#findOrMake().then(
      (id) => {
        this.#id = id;
        return id;
      },
      (error: unknown) => {
        this.#found = undefined;
        throw error;
      },
    );
    return this.#found;
  }

  /** Called when the network turned out to be gone. Does nothing if another one has been created since. */
  forget(id: string): void {
    if (this.#id !== id) return;
    this.#id = undefined;
    this.#found = undefined;
  }

  /** Removes all networks of the name that have no containers. */
  async remove(): Promise<void> {
    await this.#found?.catch(() => {}); // it may be being created
    this.#found = undefined;
    this.#id = undefined;
    for (const { Id } of await this.#list().catch(() => [])) await this.#removeUnused(Id);
  }

  // Private

  async #findOrMake(): Promise<string> {
    if ((await this.#list()).length === 0) await this.#make();
    const [oldest, ...others] = await this.#list();
    if (oldest === undefined) throw this.#engine.nonsense('list networks', 'what was made is not listed');
    for (const { Id } of others) await this.#removeUnused(Id);
    return oldest.Id;
  }

  /** All networks of the name, oldest first. */
  async #list(): Promise<Listed[]> {
    const networks = await this.#engine.call('list networks', (docker) =>
      docker.listNetworks({ filters: { name: [this.name] } }),
    );
    if (!Array.isArray(networks)) throw this.#engine.nonsense('list networks');
    return networks
      .filter(({ Name }) => Name === this.name) // the filter also matches substrings
      .sort((a, b) => Date.parse(a.Created) - Date.parse(b.Created) || (a.Id < b.Id ? -1 : 1));
  }

  async #make(): Promise<void> {
    try {
      await this.#create();
    } catch (error) {
      if (!isPoolExhausted(error)) throw error;
      await this.#clearAbandoned();
      await this.#create().catch((again: unknown) => {
        throw isPoolExhausted(again) ? noAddressPool(this.name, again) : again;
      });
    }
  }

  async #create(): Promise<void> {
    try {
      await this.#engine.call('create network', (docker) =>
        docker.createNetwork({
          Name: this.name,
          CheckDuplicate: true,
          Driver: 'bridge',
          Options: { 'com.docker.network.bridge.enable_icc': 'false' },
          Labels: { [LABELS.managed]: 'true', [LABELS.owner]: this.#owner },
        }),
      );
    } catch (error) {
      if (!isRefusal(error, 409)) throw error; // it exists already
    }
  }

  /**
   * Removes the networks of owners that never came back: networks of cLess without containers. An owner that is alive
   * but has no container creates its network again.
   */
  async #clearAbandoned(): Promise<void> {
    const label = [`${LABELS.managed}=true`];
    const networks = await this.#engine.call('list networks', (docker) =>
      docker.listNetworks({ filters: { label } }),
    );
    const containers = await this.#engine.call('list', (docker) => docker.listContainers({ all: true }));
    if (!Array.isArray(networks) || !Array.isArray(containers)) throw this.#engine.nonsense('list');
    const inUse = new Set(
      containers.flatMap(({ HostConfig, NetworkSettings }) => [
        HostConfig?.NetworkMode,
        ...Object.values(NetworkSettings?.Networks ?? {}).map(({ NetworkID }) => NetworkID),
      ]),
    );
    for (const { Id, Name } of networks) if (!inUse.has(Id) && !inUse.has(Name)) await this.#removeUnused(Id);
  }

  /** Removes a network; the engine refuses if it has containers. */
  async #removeUnused(id: string): Promise<void> {
    await this.#engine.call('remove network', (docker) => docker.getNetwork(id).remove()).catch(() => {});
  }
}

/** The networks that containers join besides their owner's, named by name or id. */
export class JoinedNetworks {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Finds their ids. The engine's own networks and those of installations may not be joined, since containers must
   * not reach what is on them.
   *
   * @throws with code `NETWORK_NOT_FOUND`
   */
  async find(names: readonly string[]): Promise<string[]> {
    return Promise.all(names.map((name) => this.#find(name)));
  }

  /** The networks of a spec that cannot be joined. */
  async refusals({ networks = [] }: PartialSpec): Promise<Refusal[]> {
    const found = await Promise.allSettled(networks.map((name) => this.#find(name)));
    return found.flatMap((one, i) => {
      if (one.status === 'fulfilled') return [];
      if (!hasCode(one.reason, 'NETWORK_NOT_FOUND')) throw one.reason;
      return [{ field: `networks/${i}`, reason: one.reason.message }];
    });
  }

  // Private

  async #find(name: string): Promise<string> {
    const info: Listed | undefined = await this.#engine
      .call('inspect network', (docker) => docker.getNetwork(name).inspect())
      .catch((error: unknown) => {
        if (isRefusal(error, 404)) return undefined;
        throw error;
      });
    if (info === undefined) throw networkNotFound(name);
    if (typeof info.Id !== 'string') throw this.#engine.nonsense('inspect network');
    if (RESERVED.has(info.Name) || info.Labels?.[LABELS.managed] !== undefined)
      throw networkNotFound(
        name,
        `network ${name} cannot be joined: it is the engine's or an installation's own`,
      );
    return info.Id;
  }
}

const RESERVED = new Set(['bridge', 'host', 'none']);

function noAddressPool(network: string, cause: unknown): Failure {
  const text =
    `the engine has no address pool left for the network ${network}; remove networks that nobody needs ` +
    '(docker network prune), or give the engine more: default-address-pools in its daemon.json';
  return new Failure('NO_ADDRESS_POOL', text, { cause });
}

function isPoolExhausted(error: unknown): boolean {
  return (
    hasCode(error, 'ENGINE_REFUSED') &&
    /non-overlapping IPv4 address pool|address pools have been fully subnetted/i.test(error.message)
  );
}
