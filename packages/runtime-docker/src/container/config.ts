import { createHash } from 'node:crypto';
import type { InstanceSpec } from '@cless/model';
import type { ContainerCreateOptions } from 'dockerode';
import { LABELS } from '../labels.ts';
import { mounts } from '../owner/volumes.ts';
import { hardeningConfig, isRoot, UNPRIVILEGED_USER } from './hardening.ts';

/** Increment when this package creates a different container from the same spec, so that old ones are not adopted. */
const SPEC_VERSION = 2;

/** A hash of everything the container is made from: containers with equal hashes are interchangeable. */
export function specHash(spec: InstanceSpec): string {
  const sorted = JSON.stringify([SPEC_VERSION, withDefaults(spec)], (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(sorted).digest('hex');
}

interface Placement {
  readonly owner: string;
  readonly network: string;
  /** The id of the state directory that acts for the owner. */
  readonly state: string | undefined;
  /** The process that it is for. */
  readonly maker: string | undefined;
  readonly hostPort: number;
  /** The user the image runs as; empty means root. */
  readonly imageUser: string;
  /** What the image declares as `VOLUME`. */
  readonly imageVolumes: readonly string[];
  /** The host folders that the spec's volumes name, resolved. */
  readonly hostPaths: ReadonlyMap<string, string>;
}

/** The body of the engine's `POST /containers/create` for a spec. */
export function containerConfig(spec: InstanceSpec, placement: Placement): ContainerCreateOptions {
  const { service, revision, image, port, env, memoryBytes, cpus, pids, hardening, volumes, relaxations } =
    withDefaults(spec);
  const { entrypoint, command, user } = spec;
  const forcedUser =
    hardening === 'restricted' && isRoot(user ?? placement.imageUser) && !relaxations.includes('root-user');
  const contract = { PORT: String(port), K_SERVICE: service, K_REVISION: revision, K_CONFIGURATION: service };
  const exposed = `${port}/tcp`;
  const hardened = hardeningConfig(hardening, relaxations);
  const mounted = mounts(volumes, {
    ...placement,
    service,
    declared: placement.imageVolumes,
    taken: Object.keys(hardened.Tmpfs ?? {}),
  });
  return {
    Image: image,
    Env: Object.entries({ ...env, ...contract }).map(([name, value]) => `${name}=${value}`),
    ...(entrypoint !== undefined && { Entrypoint: [...entrypoint] }),
    ...(command !== undefined && { Cmd: [...command] }),
    ...(user !== undefined && { User: user }),
    ...(forcedUser && { User: UNPRIVILEGED_USER }),
    ExposedPorts: { [exposed]: {} },
    Labels: {
      [LABELS.managed]: 'true',
      [LABELS.owner]: placement.owner,
      [LABELS.service]: service,
      [LABELS.revision]: revision,
      [LABELS.spec]: specHash(spec),
      ...(placement.state !== undefined && { [LABELS.state]: placement.state }),
      ...(placement.maker !== undefined && { [LABELS.maker]: placement.maker }),
    },
    // By id here as well: with the mode alone, the engine would look the network up by its name when it starts the
    // container.
    NetworkingConfig: { EndpointsConfig: { [placement.network]: { NetworkID: placement.network } } },
    HostConfig: {
      ...hardened,
      Privileged: false,
      Init: true,
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: pids,
      LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '3' } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      NetworkMode: placement.network,
      PortBindings: { [exposed]: [{ HostIp: '127.0.0.1', HostPort: String(placement.hostPort) }] },
      ...(mounted.length > 0 && { Mounts: mounted }),
    },
  };
}

type WithDefaults = InstanceSpec &
  Required<
    Pick<
      InstanceSpec,
      'env' | 'memoryBytes' | 'cpus' | 'pids' | 'hardening' | 'volumes' | 'networks' | 'relaxations'
    >
  >;

function withDefaults(spec: InstanceSpec): WithDefaults {
  return {
    env: {},
    memoryBytes: 512 * 1024 * 1024,
    cpus: 1,
    pids: 256,
    hardening: 'baseline',
    volumes: [],
    networks: [],
    relaxations: [],
    ...spec,
  };
}
