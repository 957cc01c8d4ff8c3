import type { ImageInspectInfo } from 'dockerode';
import { ImageNotFoundError, isRefusal } from '../errors.ts';
import type { Engine } from './engine.ts';

/** An image on the host. */
export interface Image {
  readonly id: string;
  /** The TCP ports that it exposes. */
  readonly exposedPorts: readonly number[];
  /** What it declares as `VOLUME`: absolute paths. */
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What a container has of its image without being told. */
interface ImageFacts {
  /** The user that it runs as, empty for root. */
  readonly user: string;
  readonly volumes: readonly string[];
}

/** How many images are remembered. */
const MAX_REMEMBERED = 1_000;

/** Of references only what makes a clean path of an URL; the rest of their grammar is left to the engine. */
export const IS_PATH = /^[\w[][\w.:@[\]-]*(?:\/\w[\w.:@-]*)*$/;

/** The images on the host. */
export class Images {
  readonly #engine: Engine;
  readonly #known = new Map<string, ImageFacts>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The image of that id or reference, if it is on the host. */
  async find(reference: string): Promise<Image | undefined> {
    const info = await this.#inspect(reference, 'image');
    const exposedPorts = Object.keys(info?.Config?.ExposedPorts ?? {})
      .filter((port) => port.endsWith('/tcp'))
      .map((port) => Number.parseInt(port, 10));
    if (info === undefined) return undefined;
    const facts = factsOf(info);
    this.#remember(info.Id, facts);
    return { id: info.Id, exposedPorts, volumes: facts.volumes, labels: info.Config?.Labels ?? {} };
  }

  /** All that have a name: name → id. With the tag `latest` also without it. */
  async all(): Promise<ReadonlyMap<string, string>> {
    const images = await this.#engine.call('list images', (docker) => docker.listImages(), { lane: 'image' });
    if (!Array.isArray(images)) throw this.#engine.nonsense('list images');
    const ids = new Map<string, string>();
    for (const { Id, RepoTags } of images) {
      for (const name of RepoTags ?? []) {
        ids.set(name, Id);
        if (name.endsWith(':latest')) ids.set(name.slice(0, -':latest'.length), Id);
      }
    }
    return ids;
  }

  /** Of an id it is asked once: what an id stands for never changes. @throws {ImageNotFoundError} */
  async facts(reference: string): Promise<ImageFacts> {
    const known = this.#known.get(reference);
    if (known !== undefined) return known;
    const info = await this.#inspect(reference, 'quick');
    if (info === undefined) throw new ImageNotFoundError(reference);
    const facts = factsOf(info);
    this.#remember(info.Id, facts);
    return facts;
  }

  // Private

  #remember(id: string, facts: ImageFacts): void {
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(id, facts);
  }

  /** What is no reference names no image. The engine would redirect some of them elsewhere. */
  async #inspect(reference: string, lane: 'image' | 'quick'): Promise<ImageInspectInfo | undefined> {
    if (!IS_PATH.test(reference)) return undefined;
    try {
      const info = await this.#engine.call(
        'inspect image',
        (docker) => docker.getImage(reference).inspect(),
        { lane },
      );
      if (typeof info?.Id !== 'string') throw this.#engine.nonsense('inspect image');
      return info;
    } catch (error) {
      if (isRefusal(error, 404) || isRefusal(error, 400)) return undefined;
      throw error;
    }
  }
}

function factsOf({ Config: config }: ImageInspectInfo): ImageFacts {
  return { user: config?.User ?? '', volumes: Object.keys(config?.Volumes ?? {}) };
}
