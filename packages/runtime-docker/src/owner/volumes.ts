import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ServiceVolume, ServiceVolumes, Volume } from '@cless/model';
import type { MountSettings } from 'dockerode';
import type { Engine } from '../engine/engine.ts';
import { isRefusal } from '../failures.ts';
import { LABELS } from '../labels.ts';

/** What is needed to mount volumes, besides the spec. */
interface MountContext {
  readonly owner: string;
  readonly service: string;
  /** The host folders that the volumes name, resolved. */
  readonly hostPaths: ReadonlyMap<string, string>;
  /** What the image declares as `VOLUME`. */
  readonly declared: readonly string[];
  /** Paths where something else is mounted already. */
  readonly taken: readonly string[];
}

/**
 * The mounts of a container: the volumes of its spec, and a volume of its service for each other path that the image
 * declares. (The engine would create an anonymous volume, which is lost with the container.)
 */
export function mounts(
  volumes: readonly Volume[],
  { owner, service, hostPaths, declared, taken }: MountContext,
): MountSettings[] {
  const targets = new Set([...volumes.map(({ target }) => target), ...taken]);
  const own = [...new Set(declared.map(absolute))].filter((target) => target !== '/' && !targets.has(target));
  return [
    ...volumes.map(({ source, target, readOnly }): MountSettings => {
      const hostPath = hostPaths.get(source);
      if (hostPath !== undefined)
        return { Type: 'bind', Source: hostPath, Target: target, ReadOnly: readOnly };
      return named(`cless-${owner}-${source}`, target, readOnly, { [LABELS.owner]: owner });
    }),
    ...own.map((target) => {
      const labels = { [LABELS.owner]: owner, [LABELS.service]: service, [LABELS.target]: target };
      return named(declaredName(owner, service, target), target, false, labels);
    }),
  ];
}

/**
 * Equal for all revisions of a service and different for all services; the hash is needed because joined names may be
 * ambiguous.
 */
function declaredName(owner: string, service: string, target: string): string {
  const whose = createHash('sha256')
    .update(JSON.stringify([owner, service, target]))
    .digest('hex');
  const where = target.replace(/[^a-zA-Z0-9]+/g, '-').slice(0, 40);
  return `cless-${owner}-${service.slice(0, 63)}${where}-${whose.slice(0, 12)}`;
}

/** The engine fills an empty volume with the image's files at that path, with their owners and modes. */
function named(
  name: string,
  target: string,
  readOnly: boolean,
  labels: Readonly<Record<string, string>>,
): MountSettings {
  return {
    Type: 'volume',
    Source: name,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: {
      NoCopy: false,
      Labels: { [LABELS.managed]: 'true', ...labels },
      DriverConfig: { Name: 'local', Options: {} },
    },
  };
}

function absolute(path: string): string {
  return posix.resolve('/', path);
}

/** The volumes that the images of an owner's services declared. */
export class Volumes implements ServiceVolumes {
  readonly #engine: Engine;
  readonly #owner: string;

  constructor(engine: Engine, owner: string) {
    this.#engine = engine;
    this.#owner = owner;
  }

  /** The volumes of a service, by path. */
  async of(service: string): Promise<ServiceVolume[]> {
    const label = [
      `${LABELS.managed}=true`,
      `${LABELS.owner}=${this.#owner}`,
      `${LABELS.service}=${service}`,
    ];
    const listed = await this.#engine.call('list volumes', (docker) =>
      docker.listVolumes({ filters: { label } }),
    );
    const found = listed?.Volumes ?? [];
    if (!Array.isArray(found)) throw this.#engine.nonsense('list volumes');
    return found
      .map(({ Name: name, Labels }) => ({ name, target: Labels?.[LABELS.target] ?? '' }))
      .sort((a, b) => (a.target < b.target ? -1 : 1));
  }

  /** Removes the volumes of a service with their content. Returns those that a container still uses. */
  async remove(service: string): Promise<ServiceVolume[]> {
    const left: ServiceVolume[] = [];
    for (const volume of await this.of(service)) {
      try {
        await this.#engine.call('remove volume', (docker) => docker.getVolume(volume.name).remove());
      } catch (error) {
        if (isRefusal(error, 409)) left.push(volume);
        else if (!isRefusal(error, 404)) throw error;
      }
    }
    return left;
  }

  /** Those of the names that no volume has yet. */
  async missing(names: readonly string[]): Promise<string[]> {
    const missing = await Promise.all(
      names.map((name) =>
        this.#engine
          .call('inspect volume', (docker) => docker.getVolume(name).inspect())
          .then(
            () => [],
            (error: unknown) => {
              if (isRefusal(error, 404)) return [name];
              throw error;
            },
          ),
      ),
    );
    return missing.flat();
  }

  /** Removes volumes created for a container that was not. One that is used by a container by now stays. */
  async discard(names: readonly string[]): Promise<void> {
    for (const name of names)
      await this.#engine.call('remove volume', (docker) => docker.getVolume(name).remove()).catch(() => {});
  }
}
