import type { Engine } from './engine.ts';
import { isRefusal } from './errors.ts';
import { LABELS } from './labels.ts';

/** The network that an owner's containers share, without traffic between them. */
export class OwnNetwork {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #name: string;
  #made: Promise<string> | undefined;

  constructor(engine: Engine, owner: string) {
    this.#engine = engine;
    this.#owner = owner;
    this.#name = `cless-${owner}`;
  }

  /** Its name; it is made first if need be. */
  async get(): Promise<string> {
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  /** It proved to be gone. */
  forget(): void {
    this.#made = undefined;
  }

  /** Removes it, if no container is on it. */
  async remove(): Promise<void> {
    await this.#made?.catch(() => {}); // it may just be made
    this.#made = undefined;
    await this.#engine
      .call('remove network', (docker) => docker.getNetwork(this.#name).remove())
      .catch(() => {}); // in use or gone: both are fine
  }

  // Private

  async #make(): Promise<string> {
    try {
      await this.#engine.call('create network', (docker) =>
        docker.createNetwork({
          Name: this.#name,
          CheckDuplicate: true,
          Driver: 'bridge',
          Options: { 'com.docker.network.bridge.enable_icc': 'false' },
          Labels: { [LABELS.managed]: 'true', [LABELS.owner]: this.#owner },
        }),
      );
    } catch (error) {
      if (!isRefusal(error, 409)) throw error; // it is there already
    }
    return this.#name;
  }
}
