import type { Revision } from '@cless/model';
import { SoleRevision } from '../services/convention.ts';
import type { ServiceSource } from '../services/source.ts';
import type { Channel } from './channel.ts';
import type { PrimaryMethods, WorkerMethods } from './protocol.ts';

/** In a worker: services by convention, as known by the primary. */
export class RemoteSource implements ServiceSource {
  readonly #primary: Pick<Channel<PrimaryMethods, WorkerMethods>, 'call'>;
  readonly #known = new Map<string, SoleRevision>();
  readonly #asked = new Map<string, Promise<SoleRevision | undefined>>();

  constructor(primary: Pick<Channel<PrimaryMethods, WorkerMethods>, 'call'>) {
    this.#primary = primary;
  }

  known(service: string): SoleRevision | undefined {
    return this.#known.get(service);
  }

  async resolve(service: string): Promise<SoleRevision | undefined> {
    const known = this.#known.get(service);
    if (known !== undefined) return known;
    const asking = this.#asked.get(service);
    if (asking !== undefined) return asking;
    const asked = this.#primary.call('resolve', { service }).then((revision) => {
      const served = revision === null ? undefined : new SoleRevision(revision);
      // A change reported in the meantime has removed this promise.
      if (served !== undefined && this.#asked.get(service) === asked) this.#known.set(service, served);
      return served;
    });
    this.#asked.set(service, asked);
    const done = () => {
      if (this.#asked.get(service) === asked) this.#asked.delete(service);
    };
    asked.then(done, done);
    return asked;
  }

  /** Call when a service may have changed: forgets what the primary said, including answers on their way. */
  changed(service: string): void {
    this.#known.delete(service);
    this.#asked.delete(service);
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    const revision = (await this.resolve(service))?.revision;
    return revision?.id === id ? revision : undefined;
  }

  // The primary watches images and retires revisions.
  refresh(): void {}
  onRetired(): void {}
  onKept(): void {}
}
