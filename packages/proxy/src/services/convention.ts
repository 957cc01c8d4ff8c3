import {
  type Revision,
  type RevisionDefaults,
  type Runtime,
  readImageLabels,
  toRevision,
  toSpec,
} from '@cless/model';
import { type ImageIds, ImageList } from './image-list.ts';
import type { ServedService, ServiceSource } from './source.ts';

export interface ConventionOptions {
  readonly runtime: Pick<Runtime, 'image' | 'listImages'>;
  /** What follows the service's name in the image's. */
  readonly imageSuffix: string;
  /** Called for each label of an image that is ignored. */
  readonly warn?: (message: string) => void;
  /** What all revisions have in common. */
  readonly defaults: RevisionDefaults;
}

/** A service whose requests all go to one revision. */
export class SoleRevision implements ServedService {
  readonly serves = true;
  readonly revisions: readonly [Revision];

  constructor(revision: Revision) {
    this.revisions = [revision];
  }

  choose(): Revision {
    return this.revisions[0];
  }

  cookie(): undefined {}
  whileAsleep(): undefined {}
}

/**
 * Services without any configuration: service `x` is the local image `x-docker`, and its revision is the image's
 * id, so that a retagged image is a new one.
 */
export class ConventionSource implements ServiceSource {
  readonly #options: ConventionOptions;
  /** That a name has no image is known from this: names that strangers think of cost nothing. */
  readonly #images: ImageList;
  readonly #known = new Map<string, SoleRevision>();
  /** What is being looked at, by service and image. */
  readonly #asked = new Map<string, Promise<SoleRevision | undefined>>();
  readonly #listeners: ((revision: Revision) => void)[] = [];

  constructor(options: ConventionOptions) {
    this.#options = options;
    this.#images = new ImageList(options.runtime);
  }

  known(service: string): SoleRevision | undefined {
    return this.#known.get(service);
  }

  async resolve(service: string): Promise<SoleRevision | undefined> {
    return this.#known.get(service) ?? this.#look(service, await this.#images.get());
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    const revision = (await this.resolve(service))?.choose();
    return revision?.id === id ? revision : undefined;
  }

  /** It is images that change. */
  changed(): void {}

  refresh(): void {
    this.#images.changed();
    // What is known serves until the runtime says otherwise, and if it cannot be reached.
    this.#compare().catch(() => {});
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener);
  }

  /** Whatever has an image is there; what runs is what somebody asked for. */
  onKept(): void {}

  // Private

  async #compare(): Promise<void> {
    const images = await this.#images.get();
    for (const service of this.#known.keys()) this.#look(service, images).catch(() => {});
  }

  /** The service, as the list says; only what is new is looked at. */
  async #look(service: string, images: ImageIds): Promise<SoleRevision | undefined> {
    const reference = service + this.#options.imageSuffix;
    const id = images.get(reference);
    const known = this.#known.get(service);
    if (id === undefined) return this.#set(service, undefined);
    if (known?.choose().id === id) return known;
    const key = `${service} ${id}`;
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#ask(service, reference, id).finally(() => this.#asked.delete(key));
      this.#asked.set(key, asked);
    }
    return asked;
  }

  async #ask(service: string, reference: string, id: string): Promise<SoleRevision | undefined> {
    const image = await this.#options.runtime.image(reference);
    const now = await this.#images.get();
    if (now.get(reference) !== id) return this.#look(service, now); // the name has moved on meanwhile
    return this.#set(service, image && new SoleRevision(this.#revision(service, image)));
  }

  #set(service: string, now: SoleRevision | undefined): SoleRevision | undefined {
    const before = this.#known.get(service);
    if (now === undefined) this.#known.delete(service);
    else this.#known.set(service, now);
    if (before !== undefined && before !== now)
      for (const listener of this.#listeners) listener(before.choose());
    return now;
  }

  #revision(service: string, image: NonNullable<Awaited<ReturnType<Runtime['image']>>>): Revision {
    const reference = service + this.#options.imageSuffix;
    const { said, ignored } = readImageLabels(image.labels ?? {});
    for (const label of ignored) this.#options.warn?.(`image ${reference}: ${label}`);
    const spec = toSpec({ image: reference, ...said }, image);
    return toRevision(service, image.id, spec, this.#options.defaults);
  }
}
