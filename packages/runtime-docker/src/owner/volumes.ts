import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ServiceVolume, ServiceVolumes } from '@cless/model';
import type { MountSettings } from 'dockerode';
import type { Engine } from '../engine/engine.ts';
import { isRefusal } from '../errors.ts';
import { LABELS } from '../labels.ts';

/** What a container gets to keep. */
export interface Volume {
  /** The name of a volume of this owner's, which is made if need be; or a folder of the host that is allowed. */
  readonly source: string;
  /** Where the container finds it: an absolute path. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** Whose volumes they are, and what is known besides the spec. */
interface Surroundings {
  readonly owner: string;
  readonly service: string;
  /** Folders of the host that the volumes name, as they really are. */
  readonly hostPaths: ReadonlyMap<string, string>;
  /** What the image declares as `VOLUME`. */
  readonly declared: readonly string[];
  /** Where something else is mounted already. */
  readonly taken: readonly string[];
}

/**
 * What a container gets to keep: the volumes of its spec, and a volume of its service for each path that the image
 * declares and the spec says nothing of. The engine would make an anonymous one, which goes with the container.
 */
export function mounts(
  volumes: readonly Volume[],
  { owner, service, hostPaths, declared, taken }: Surroundings,
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

/** The same for all revisions of a service, and nobody else's: names alone could be put together in two ways. */
function declaredName(owner: string, service: string, target: string): string {
  const whose = createHash('sha256')
    .update(JSON.stringify([owner, service, target]))
    .digest('hex');
  const where = target.replace(/[^a-zA-Z0-9]+/g, '-').slice(0, 40);
  return `cless-${owner}-${service.slice(0, 63)}${where}-${whose.slice(0, 12)}`;
}

/** An empty one is filled with what the image has there, with its owners and modes, as the engine does it. */
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

  /** Those of a service, by path. */
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

  /** Removes those of a service with all that is in them; gives back those that a container still has. */
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

  /** Those of the names that stand for no volume yet. */
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

  /** Takes back what was made for a container that there is not. One that has a container by now stays. */
  async discard(names: readonly string[]): Promise<void> {
    for (const name of names)
      await this.#engine.call('remove volume', (docker) => docker.getVolume(name).remove()).catch(() => {});
  }
}
