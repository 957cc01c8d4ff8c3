import type { Engine } from '../engine/engine.ts';
import { isRefusal, OwnerTakenError } from '../errors.ts';
import { LABELS } from '../labels.ts';

/** Who acts for an owner: the state directory that knows its services. */
export interface Holder {
  /** The state directory's own, made at random. */
  readonly id: string;
  /** Where it is, for people. */
  readonly directory: string;
}

/**
 * Binds an owner to one state directory: a volume of the owner's name says to which. Two proxies of one owner would stop
 * each other's containers, each of which the other knows nothing of.
 *
 * `docker volume prune` removes it, as any volume that no container has; so containers name the state directory, too, and
 * whoever holds the owner makes the volume again (see {@link hold}).
 */
export class OwnerRecord {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #holder: Holder;

  constructor(engine: Engine, owner: string, holder: Holder) {
    this.#engine = engine;
    this.#owner = owner;
    this.#holder = holder;
  }

  /**
   * Binds the owner, if it is not bound yet, and makes sure that it is bound to this state directory. To be called now and
   * then, since the record may have been pruned, or the owner been taken over.
   *
   * @param takeOver bind it to this state directory whatever it is bound to
   * @throws {OwnerTakenError}
   */
  async hold({ takeOver = false } = {}): Promise<void> {
    let bound = await this.#read();
    if (takeOver && bound !== undefined && !this.#isOurs(bound)) {
      await this.#remove();
      bound = undefined;
    }
    if (bound === undefined) {
      if (!takeOver) await this.#checkContainers();
      await this.#write();
      bound = await this.#read(); // of two at the same moment, one
    }
    if (bound === undefined || !this.#isOurs(bound)) throw this.#taken(bound ?? {});
  }

  // Private

  get #name(): string {
    return `cless.owner.${this.#owner}`; // named volumes of services begin with `cless-`
  }

  #isOurs(labels: Labels): boolean {
    return labels[LABELS.state] === this.#holder.id;
  }

  #taken(labels: Labels): OwnerTakenError {
    return new OwnerTakenError(this.#owner, labels[LABELS.directory]);
  }

  async #read(): Promise<Labels | undefined> {
    try {
      const volume = await this.#engine.call('inspect volume', (docker) =>
        docker.getVolume(this.#name).inspect(),
      );
      if (volume?.Name !== this.#name) throw this.#engine.nonsense('inspect volume');
      return volume.Labels ?? {};
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  /** Makes it, unless somebody was faster: the engine makes one of a name, once. */
  async #write(): Promise<void> {
    const { id, directory } = this.#holder;
    await this.#engine.call('create volume', (docker) =>
      docker.createVolume({
        Name: this.#name,
        Driver: 'local',
        Labels: {
          [LABELS.managed]: 'true',
          [LABELS.owner]: this.#owner,
          [LABELS.state]: id,
          [LABELS.directory]: directory,
        },
      }),
    );
  }

  async #remove(): Promise<void> {
    try {
      await this.#engine.call('remove volume', (docker) => docker.getVolume(this.#name).remove());
    } catch (error) {
      if (!isRefusal(error, 404)) throw error;
    }
  }

  /** There is no record: what runs tells whose the owner is. */
  async #checkContainers(): Promise<void> {
    const label = [`${LABELS.managed}=true`, `${LABELS.owner}=${this.#owner}`];
    const listed = await this.#engine.call('list', (docker) =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    if (!Array.isArray(listed)) throw this.#engine.nonsense('list');
    const foreign = listed.find(({ Labels = {} }) => LABELS.state in Labels && !this.#isOurs(Labels));
    if (foreign !== undefined) throw this.#taken(foreign.Labels);
  }
}

type Labels = Readonly<Record<string, string>>;
