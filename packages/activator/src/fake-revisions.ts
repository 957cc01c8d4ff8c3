import type { Revision as ModelRevision } from '@cless/model';
import type { FakeRuntime } from '@cless/testkit';
import type { Revisions, Revision as Scaled } from './revision.ts';

type Revision = ModelRevision & Pick<Scaled, 'concurrency' | 'maxScale'>;
type Defaults = Pick<Revision, 'readiness' | 'idle' | 'stopGraceMs' | 'concurrency' | 'maxScale'>;

/** For tests: a revision for each image of a fake runtime, and its successor when the tag moves. */
export class FakeRevisions implements Revisions<Revision> {
  readonly #runtime: FakeRuntime;
  readonly #defaults: Defaults;
  readonly #serving = new Map<string, Revision>();
  readonly #listeners: ((revision: Revision) => void)[] = [];

  constructor(runtime: FakeRuntime, defaults: Partial<Defaults> = {}) {
    this.#runtime = runtime;
    this.#defaults = {
      readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
      idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
      stopGraceMs: 10_000,
      ...defaults,
    };
  }

  /** The revision that serves the service; creates its image if there is none. */
  async serving(service = 'web'): Promise<Revision> {
    if (!this.#runtime.images.has(service)) this.#runtime.images.set(service, `${service}-1`);
    const revision = this.#serving.get(service) ?? (await this.#look(service));
    if (revision === undefined) throw new Error(`no ${service}`);
    return revision;
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    const revision = this.#serving.get(service) ?? (await this.#look(service));
    return revision?.id === id ? revision : undefined;
  }

  refresh(): void {
    // Known services are served until the runtime says otherwise, also while it cannot be reached.
    for (const service of this.#serving.keys()) this.#look(service).catch(() => {});
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener);
  }

  onKept(): void {}

  // Private

  async #look(service: string): Promise<Revision | undefined> {
    const id = (await this.#runtime.listImages()).get(service);
    const before = this.#serving.get(service);
    if (before?.id === id) return before;
    const spec = { service, revision: id ?? '', image: id ?? '', port: 8080 };
    const revision = id === undefined ? undefined : { service, id, spec, ...this.#defaults };
    if (revision === undefined) this.#serving.delete(service);
    else this.#serving.set(service, revision);
    if (before !== undefined) for (const retired of this.#listeners) retired(before);
    return revision;
  }
}
