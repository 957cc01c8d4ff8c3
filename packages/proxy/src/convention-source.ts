import type { Revision, Runtime, ServedService, ServiceSource } from './contracts.ts';

export interface ConventionOptions {
  readonly runtime: Pick<Runtime, 'image'>;
  /** What follows the service's name in the image's. */
  readonly imageSuffix: string;
  /** What all revisions have in common. */
  readonly defaults: Pick<Revision, 'readiness' | 'idle' | 'stopGraceMs'>;
}

/** Where a container listens that says nothing else. */
export const DEFAULT_PORT = 8080;
/** How many names without an image are remembered: a crawler asks for the same ones again and again. */
const MAX_UNKNOWN = 10_000;

/** A service whose requests all go to one revision. */
export class SoleRevision implements ServedService {
  readonly revision: Revision;

  constructor(revision: Revision) {
    this.revision = revision;
  }

  choose(): Revision {
    return this.revision;
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
  readonly #known = new Map<string, SoleRevision>();
  /** Names without an image, until an image changes. */
  readonly #unknown = new Set<string>();
  readonly #asked = new Map<string, Promise<SoleRevision | undefined>>();
  readonly #listeners: ((revision: Revision) => void)[] = [];
  /** Grows when images change: an answer from before is not kept. */
  #generation = 0;

  constructor(options: ConventionOptions) {
    this.#options = options;
  }

  known(service: string): SoleRevision | undefined {
    return this.#known.get(service);
  }

  async resolve(service: string): Promise<SoleRevision | undefined> {
    const known = this.#known.get(service);
    if (known !== undefined || this.#unknown.has(service)) return known;
    let asked = this.#asked.get(service);
    if (asked === undefined) {
      asked = this.#ask(service).finally(() => this.#asked.delete(service));
      this.#asked.set(service, asked);
    }
    return asked;
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    const revision = (await this.resolve(service))?.choose();
    return revision?.id === id ? revision : undefined;
  }

  refresh(): void {
    this.#generation += 1;
    this.#unknown.clear();
    this.#asked.clear();
    for (const service of this.#known.keys()) {
      // What is known serves until the runtime says otherwise, and if it cannot be reached.
      this.#ask(service).catch(() => {});
    }
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener);
  }

  /** Whatever has an image is there; what runs is what somebody asked for. */
  onKept(): void {}

  // Private

  async #ask(service: string): Promise<SoleRevision | undefined> {
    const generation = this.#generation;
    const image = await this.#options.runtime.image(service + this.#options.imageSuffix);
    if (generation !== this.#generation) return this.#known.get(service) ?? this.resolve(service);
    const before = this.#known.get(service);
    if (image === undefined) {
      this.#known.delete(service);
      if (this.#unknown.size >= MAX_UNKNOWN) this.#unknown.clear();
      this.#unknown.add(service);
    } else if (before?.choose().id !== image.id) {
      this.#known.set(service, new SoleRevision(this.#revision(service, image)));
    }
    const now = this.#known.get(service);
    if (before !== undefined && before !== now)
      for (const listener of this.#listeners) listener(before.choose());
    return now;
  }

  #revision(
    service: string,
    {
      id,
      exposedPorts,
      volumes = [],
    }: { id: string; exposedPorts: readonly number[]; volumes?: readonly string[] },
  ): Revision {
    const [only] = exposedPorts;
    const rollout = volumes.length > 0 ? ('replace' as const) : undefined;
    const port = exposedPorts.length === 1 && only !== undefined ? only : DEFAULT_PORT;
    // By the image's id, so that a revision stays what it was when the name moves on.
    return {
      service,
      id,
      spec: { service, revision: id, image: id, port },
      ...(rollout !== undefined && { rollout }),
      ...this.#options.defaults,
    };
  }
}
