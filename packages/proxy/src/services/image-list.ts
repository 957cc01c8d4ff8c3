import type { Runtime } from '@cless/model';

/** Name → id of all images that there are. */
export type ImageIds = ReadonlyMap<string, string>;

/**
 * The list of images, kept until something changes. However often that is, and whoever asks: one list is being asked
 * for, and one more, which begins when that has ended, is waited for.
 */
export class ImageList {
  readonly #runtime: Pick<Runtime, 'listImages'>;
  /** One that began after the last change. */
  #fresh: Promise<ImageIds> | undefined;
  /** One that has not begun yet. */
  #next: Promise<ImageIds> | undefined;
  #asked: Promise<unknown> = Promise.resolve();

  constructor(runtime: Pick<Runtime, 'listImages'>) {
    this.#runtime = runtime;
  }

  /** Not from before the last change, nor one that a change has overtaken. Rejects if the runtime does. */
  async get(): Promise<ImageIds> {
    const list = this.#latest();
    const images = await list;
    return list === this.#fresh ? images : this.#latest();
  }

  /** Something has changed, or may have. */
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
        if (this.#fresh === list) this.#fresh = undefined; // to be asked again
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
