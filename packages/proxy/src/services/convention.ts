import { neverStops } from '@cless/activator';
import type { Revision, RevisionDefaults, Runtime } from '@cless/model';
import { type GivenService, revisionOf } from './given.ts';
import { type ImageIds, ImageList } from './image-list.ts';
import type { Choice, ServedService, ServiceSource } from './source.ts';

export interface ConventionOptions {
  readonly runtime: Pick<Runtime, 'image' | 'listImages'>;
  /** Appended to a service's name to make its image's name. Undefined means that only what is given is a service. */
  readonly imageSuffix: string | undefined;
  /** Given services, by name. */
  readonly services?: ReadonlyMap<string, GivenService>;
  /** Called for each ignored label of an image. */
  readonly warn?: (message: string) => void;
  /** Defaults for all revisions. */
  readonly defaults: RevisionDefaults;
}

/** A service whose requests all go to one revision. */
export class SoleRevision implements ServedService, Choice {
  readonly serves = true;
  readonly revisions: readonly [Revision];
  readonly revision: Revision;
  readonly cookie = undefined;
  readonly whileAsleep = undefined;

  constructor(revision: Revision) {
    this.revisions = [revision];
    this.revision = revision;
  }

  choose(): Choice {
    return this;
  }
}

/**
 * Services that are an image each: service `x` is the local image `x-docker`, or the image it is given with. Its
 * revision is the image's id, so that a retagged image is a new revision.
 */
export class ConventionSource implements ServiceSource {
  readonly #options: ConventionOptions;
  /** Tells which names have no image, so that made-up names cost nothing. */
  readonly #images: ImageList;
  readonly #known = new Map<string, SoleRevision>();
  /** Services being looked up, by service and image. */
  readonly #asked = new Map<string, Promise<SoleRevision | undefined>>();
  readonly #services: ReadonlyMap<string, GivenService>;
  readonly #retiredListeners: ((revision: Revision) => void)[] = [];
  readonly #keptListeners: ((revision: Revision) => void)[] = [];

  constructor(options: ConventionOptions) {
    this.#options = options;
    this.#services = options.services ?? new Map();
    this.#images = new ImageList(options.runtime);
  }

  known(service: string): SoleRevision | undefined {
    return this.#known.get(service);
  }

  async resolve(service: string): Promise<SoleRevision | undefined> {
    return this.#known.get(service) ?? this.#look(service, await this.#images.get());
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    const revision = (await this.resolve(service))?.revision;
    return revision?.id === id ? revision : undefined;
  }

  /** Only images change here, not services. */
  changed(): void {}

  refresh(): void {
    this.#images.changed();
    // Known services are served until the runtime says otherwise, also while it cannot be reached.
    this.#compare().catch(() => {});
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.#retiredListeners.push(listener);
  }

  /** Only given services are kept running: those by convention run when they are asked for. */
  onKept(listener: (revision: Revision) => void): void {
    this.#keptListeners.push(listener);
    if (this.#services.size > 0) this.#compare().catch(() => {}); // otherwise once the runtime can be reached
  }

  // Private

  async #compare(): Promise<void> {
    const images = await this.#images.get();
    for (const service of new Set([...this.#known.keys(), ...this.#services.keys()]))
      this.#look(service, images).catch(() => {});
  }

  /** The service according to the list. Only new images are inspected. */
  async #look(service: string, images: ImageIds): Promise<SoleRevision | undefined> {
    const reference = this.#reference(service);
    if (reference === undefined) return undefined;
    const id = this.#idOf(service, reference, images);
    const known = this.#known.get(service);
    if (id === undefined) return this.#set(service, undefined);
    if (known?.revision.id === id) return known;
    const key = `${service} ${id}`;
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#ask(service, reference, id).finally(() => this.#asked.delete(key));
      this.#asked.set(key, asked);
    }
    return asked;
  }

  async #ask(service: string, reference: string, id: string): Promise<SoleRevision | undefined> {
    const { runtime, defaults, warn } = this.#options;
    const image = await runtime.image(reference);
    const now = await this.#images.get();
    if (this.#idOf(service, reference, now) !== id) return this.#look(service, now); // the tag has moved in the meantime
    const given = this.#services.get(service);
    if (image === undefined && given === undefined) return this.#set(service, undefined);
    const about = { service, reference, image, given, defaults, warn };
    return this.#set(service, new SoleRevision(revisionOf(about)));
  }

  #reference(service: string): string | undefined {
    const { imageSuffix } = this.#options;
    return (
      this.#services.get(service)?.image ?? (imageSuffix === undefined ? undefined : service + imageSuffix)
    );
  }

  /** A given service exists whether its image does or not, and its image need not be in the list by that name. */
  #idOf(service: string, reference: string, images: ImageIds): string | undefined {
    return images.get(reference) ?? (this.#services.has(service) ? reference : undefined);
  }

  #set(service: string, now: SoleRevision | undefined): SoleRevision | undefined {
    const before = this.#known.get(service);
    if (before !== undefined && before.revision.id === now?.revision.id) return before;
    if (now === undefined) this.#known.delete(service);
    else this.#known.set(service, now);
    if (before !== undefined) for (const listener of this.#retiredListeners) listener(before.revision);
    if (now !== undefined && this.#services.has(service) && neverStops(now.revision.idle))
      for (const listener of this.#keptListeners) listener(now.revision);
    return now;
  }
}
