import type { Runtime } from '@cless/model';

/** All images: name → id. */
export type ImageIds = ReadonlyMap<string, string>;

/**
 * The list of images, cached until something changes. However often that happens, at most one request for a list is
 * open, and one more waits for it to end.
 */
export class ImageList {
  readonly #runtime: Pick<Runtime, 'listImages'>;
  /** A list that was requested after the last change. */
  #fresh: Promise<ImageIds> | undefined;
  /** A list that has not been requested yet. */
  #next: Promise<ImageIds> | undefined;
  #asked: Promise<unknown> = Promise.resolve();

  constructor(runtime: Pick<Runtime, 'listImages'>) {
    this.#runtime = runtime;
  }

  /** A list as of now: not from before the last change. Rejects if the runtime does. */
  async get(): Promise<ImageIds> {
    const list = this.#latest();
    const images = await list;
    return list === this.#fresh ? images : this.#latest();
  }

  /** Call when images have changed, or may have. */
  changed(): void {
    this.#fresh = undefined;
  }

  // Private

  #latest(): Promise<ImageIds> {
    if (this.#fresh === undefined) {
      this.#next ??= this.#ask();
      const list = this.#next;
      this.#fresh = list;
      list.catch(() => {
        if (this.#fresh === list) this.#fresh = undefined; // request it again
      });
    }
    return this.#fresh;
  }

  async #ask(): Promise<ImageIds> {
    await this.#asked.catch(() => {});
    this.#next = undefined;
    const asked = this.#runtime.listImages();
    this.#asked = asked;
    return asked;
  }
}
