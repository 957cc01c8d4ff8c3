import type { ImageInspectInfo } from 'dockerode';
import type { Engine } from './engine.ts';
import { ImageNotFoundError, isRefusal } from './errors.ts';

/** An image on the host. */
export interface Image {
  readonly id: string;
  /** The TCP ports that it exposes. */
  readonly exposedPorts: readonly number[];
}

/** The images on the host. */
export class Images {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The image of that id or reference, if it is on the host. */
  async find(reference: string): Promise<Image | undefined> {
    const info = await this.#inspect(reference);
    const exposedPorts = Object.keys(info?.Config?.ExposedPorts ?? {})
      .filter((port) => port.endsWith('/tcp'))
      .map((port) => Number.parseInt(port, 10));
    return info && { id: info.Id, exposedPorts };
  }

  /** The user that it runs as, empty for root. @throws {ImageNotFoundError} */
  async user(reference: string): Promise<string> {
    const info = await this.#inspect(reference);
    if (info === undefined) throw new ImageNotFoundError(reference);
    return info.Config?.User ?? '';
  }

  // Private

  async #inspect(reference: string): Promise<ImageInspectInfo | undefined> {
    try {
      const info = await this.#engine.call(
        'inspect image',
        (docker) => docker.getImage(reference).inspect(),
        {
          lane: 'image',
        },
      );
      if (typeof info?.Id !== 'string') throw this.#engine.nonsense('inspect image');
      return info;
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }
}
