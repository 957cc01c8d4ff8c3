import { createHash } from 'node:crypto';
import type { ContainerCreateOptions } from 'dockerode';
import { type Hardening, hardeningConfig, isRoot, UNPRIVILEGED_USER } from './hardening.ts';

/** What an instance is started from. */
export interface InstanceSpec {
  readonly service: string;
  readonly revision: string;
  /** An image on the host, by id or reference. */
  readonly image: string;
  /** Where the container listens; it is told as `PORT`. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 512 MiB. */
  readonly memoryBytes?: number;
  /** Default 1. */
  readonly cpus?: number;
  /** How many processes and threads. Default 256. */
  readonly pids?: number;
  /** Default `baseline`. */
  readonly hardening?: Hardening;
}

export const LABELS = {
  managed: 'cless.managed',
  owner: 'cless.owner',
  service: 'cless.service',
  revision: 'cless.revision',
  spec: 'cless.spec',
} as const;

/** Changes when this package makes something else of the same spec, so that old containers are not adopted. */
const SPEC_VERSION = 1;

/** A hash of all that the container is made from: equal hashes, interchangeable containers. */
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
  readonly hostPort: number;
  /** The user that the image runs as, empty for root. */
  readonly imageUser: string;
}

/** The engine's `POST /containers/create` for a spec. */
export function containerConfig(spec: InstanceSpec, placement: Placement): ContainerCreateOptions {
  const { service, revision, image, port, env, memoryBytes, cpus, pids, hardening } = withDefaults(spec);
  const contract = { PORT: String(port), K_SERVICE: service, K_REVISION: revision, K_CONFIGURATION: service };
  const exposed = `${port}/tcp`;
  return {
    Image: image,
    Env: Object.entries({ ...env, ...contract }).map(([name, value]) => `${name}=${value}`),
    ...(hardening === 'restricted' && isRoot(placement.imageUser) && { User: UNPRIVILEGED_USER }),
    ExposedPorts: { [exposed]: {} },
    Labels: {
      [LABELS.managed]: 'true',
      [LABELS.owner]: placement.owner,
      [LABELS.service]: service,
      [LABELS.revision]: revision,
      [LABELS.spec]: specHash(spec),
    },
    HostConfig: {
      ...hardeningConfig(hardening),
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
    },
  };
}

function withDefaults(spec: InstanceSpec): Required<InstanceSpec> {
  return { env: {}, memoryBytes: 512 * 1024 * 1024, cpus: 1, pids: 256, hardening: 'baseline', ...spec };
}
