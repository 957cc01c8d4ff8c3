import { Failure } from '@cless/model';
import type { Engine } from '../engine/engine.ts';
import { isRefusal } from '../failures.ts';
import { LABELS } from '../labels.ts';

/** The state directory that acts for an owner. */
export interface Holder {
  /** The random id of the state directory. */
  readonly id: string;
  /** Its path, for messages. */
  readonly directory: string;
}

/**
 * Binds an owner to one state directory, recorded as a volume with the owner's name. Two proxies with one owner would
 * stop each other's containers.
 *
 * `docker volume prune` removes the volume, like any that no container uses; so containers carry the id of the state
 * directory too, and whoever holds the owner creates the volume again (see {@link hold}).
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
   * Binds the owner to this state directory, or checks that it is bound to it. Call it regularly: the record may have
   * been pruned, or the owner taken over.
   *
   * @param takeOver bind it to this state directory even if it is bound to another
   * @throws with code `OWNER_TAKEN`
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
      bound = await this.#read(); // if two proxies write at once, one of them wins
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

  /** The owner is bound to another state directory, whose proxy acts for it. */
  #taken({ [LABELS.directory]: directory }: Labels): Failure {
    const owner = this.#owner;
    const where = directory === undefined ? '' : `, ${directory}`;
    const text = `the owner ${owner} is bound to another state directory${where}`;
    return new Failure('OWNER_TAKEN', text, { owner, directory });
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

  /** Creates the record, unless another proxy was faster: the engine creates a volume of a name only once. */
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

  /** Without a record, the labels of the containers say who has the owner. */
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
