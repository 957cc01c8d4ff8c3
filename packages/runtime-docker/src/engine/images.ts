import type { ImageInspectInfo } from 'dockerode';
import { imageNotFound, isRefusal } from '../failures.ts';
import type { Engine } from './engine.ts';

/** An image on the host. */
export interface Image {
  readonly id: string;
  /** The TCP ports the image exposes. */
  readonly exposedPorts: readonly number[];
  /** The absolute paths the image declares as `VOLUME`. */
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What a container inherits from its image. */
interface ImageFacts {
  /** The user the image runs as; empty means root. */
  readonly user: string;
  readonly volumes: readonly string[];
}

/** The most images to remember. */
const MAX_REMEMBERED = 1_000;

/** References that form a clean URL path; the rest of their grammar is left to the engine. */
export const IS_PATH = /^[\w[][\w.:@[\]-]*(?:\/\w[\w.:@-]*)*$/;

/** The images on the host. */
export class Images {
  readonly #engine: Engine;
  readonly #known = new Map<string, ImageFacts>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The image with that id or reference; undefined if it is not on the host. */
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

  /** All images with a name: name → id. Those tagged `latest` also appear without the tag. */
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

  /** The facts of an image. Cached for ids, since an id always names the same image. @throws with code `IMAGE_NOT_FOUND` */
  async facts(reference: string): Promise<ImageFacts> {
    const known = this.#known.get(reference);
    if (known !== undefined) return known;
    const info = await this.#inspect(reference, 'quick');
    if (info === undefined) throw imageNotFound(reference);
    const facts = factsOf(info);
    this.#remember(info.Id, facts);
    return facts;
  }

  // Private

  #remember(id: string, facts: ImageFacts): void {
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(id, facts);
  }

  /** What is not a reference names no image; the engine would redirect some of them elsewhere. */
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
