import { neverStops } from '@cless/activator';
import { Failure, hasCode, type Revision, type RevisionDefaults, toIdle, toRevision } from '@cless/model';
import type { Service, Store } from '@cless/store';
import type { RouterTable } from './router.ts';
import type { ServedService, ServiceSource } from './source.ts';
import { TrafficSplit } from './traffic-split.ts';

export interface RegisteredSourceOptions {
  readonly store: Pick<Store, 'services' | 'service' | 'revision' | 'secrets'>;
  /** Kept up to date with the hosts and tags of each service. */
  readonly router: RouterTable;
  /** The defaults for revisions. */
  readonly defaults: RevisionDefaults;
}

/** A service that has been asked for, as it is now. */
interface Entry {
  readonly served: ServedService;
  /** The revisions with traffic or a tag, by name. */
  readonly serving: ReadonlyMap<string, Revision>;
  /** Finds other revisions that a request may choose by header. Undefined means that it may not. */
  readonly byHeader: ((name: string) => Revision | undefined) | undefined;
}

const PAGE = 1_000;

/**
 * The services of the store. Only hosts are kept in memory of services that nobody asks
 * for. A change of the store, once it is told, holds for the next request; revisions that lose their last traffic retire.
 */
export class RegisteredSource implements ServiceSource {
  readonly #options: RegisteredSourceOptions;
  readonly #names = new Set<string>();
  readonly #entries = new Map<string, Entry>();
  /** Revisions are immutable: one object each, as long as the service exists. */
  readonly #revisions = new Map<string, Map<string, Revision>>();
  readonly #retiredListeners: ((revision: Revision) => void)[] = [];
  readonly #keptListeners: ((revision: Revision) => void)[] = [];

  constructor(options: RegisteredSourceOptions) {
    this.#options = options;
    for (const service of this.#services()) this.#register(service);
  }

  known(name: string): ServedService | undefined {
    return this.#names.has(name) ? this.#entry(name).served : undefined;
  }

  async resolve(name: string): Promise<ServedService | undefined> {
    return this.known(name);
  }

  async revision(name: string, id: string): Promise<Revision | undefined> {
    if (!this.#names.has(name)) return undefined;
    const { serving, byHeader } = this.#entry(name);
    return serving.get(id) ?? byHeader?.(id);
  }

  /** A revision, serving or not, for example that of a deploy; undefined if there is none. */
  stored(name: string, id: string): Revision | undefined {
    const known = this.#revisions.get(name)?.get(id);
    if (known !== undefined) return known;
    const { store, defaults } = this.#options;
    const stored = store.revision(name, id);
    if (stored === undefined) return undefined;
    const revision = toRevision(name, id, stored.spec, defaults, store.secrets(name, id));
    const all = this.#revisions.get(name) ?? new Map<string, Revision>();
    this.#revisions.set(name, all.set(id, revision));
    return revision;
  }

  /** The secrets that have been read so far, which must not be disclosed. */
  secrets(): string[] {
    return [...this.#revisions.values()].flatMap((all) =>
      [...all.values()].flatMap(({ secrets }) => secrets ?? []),
    );
  }

  changed(name: string): void {
    const { store, router } = this.#options;
    const before = this.#entries.get(name)?.serving;
    const service = store.service(name);
    this.#entries.delete(name);
    if (service === undefined) {
      router.delete(name);
      this.#names.delete(name);
      const revisions = this.#revisions.get(name)?.values() ?? [];
      this.#revisions.delete(name);
      for (const revision of revisions) this.#retire(revision);
      return;
    }
    this.#register(service);
    const now = this.#entry(name).serving;
    for (const [id, revision] of before ?? []) if (!now.has(id)) this.#retire(revision);
    for (const revision of this.#kept(service))
      if (before?.has(revision.id) !== true) for (const listener of this.#keptListeners) listener(revision);
    for (const [id, revision] of this.#revisions.get(name) ?? []) {
      if (store.revision(name, id) !== undefined) continue;
      this.#revisions.get(name)?.delete(id);
      this.#retire(revision);
    }
  }

  /** Only the store changes here, not images. */
  refresh(): void {}

  onRetired(listener: (revision: Revision) => void): void {
    this.#retiredListeners.push(listener);
  }

  onKept(listener: (revision: Revision) => void): void {
    this.#keptListeners.push(listener);
    for (const service of this.#services()) for (const revision of this.#kept(service)) listener(revision);
  }

  // Private

  *#services(): Generator<Service> {
    const { store } = this.#options;
    let after: string | undefined;
    do {
      const page = store.services({ after, limit: PAGE });
      yield* page;
      after = page.at(-1)?.name;
    } while (after !== undefined);
  }

  /** The revisions with traffic that neither pause nor stop. */
  *#kept({ name, traffic }: Service): Generator<Revision> {
    const { store, defaults } = this.#options;
    for (const { revision: id, percent } of traffic.splits) {
      const stored = percent > 0 ? store.revision(name, id) : undefined;
      if (stored === undefined || !neverStops(toIdle(stored.spec, defaults))) continue;
      const revision = this.stored(name, id);
      if (revision !== undefined) yield revision;
    }
  }

  #register(service: Service): void {
    const { store, router } = this.#options;
    const { name, hosts, traffic } = service;
    this.#names.add(name);
    try {
      router.set(name, { hosts, tags: Object.keys(traffic.tags) });
    } catch (error) {
      // In the store a host has one owner. So the owner has given it away, and that change has not been reported yet.
      if (!hasCode(error, 'HOST_TAKEN')) throw error;
      const { owner } = error;
      router.delete(owner);
      this.#register(service);
      const former = store.service(owner);
      if (former !== undefined) this.#register(former);
    }
  }

  #retire(revision: Revision): void {
    for (const listener of this.#retiredListeners) listener(revision);
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = this.#read(name);
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #read(name: string): Entry {
    const { store } = this.#options;
    const service = store.service(name);
    const serving = new Map<string, Revision>();
    const find = (id: string) => {
      const revision = this.stored(name, id);
      if (revision === undefined)
        throw new Failure('SERVICE_NOT_FOUND', `no revision of ${name} gets traffic yet`); // removed in between
      serving.set(id, revision);
      return revision;
    };
    const { traffic, revisionHeader = false, sticky = false, wakeFilter } = service ?? {};
    const splits = traffic?.splits ?? [];
    const byHeader = revisionHeader
      ? (id: string) =>
          store.revision(name, id)?.state.phase === 'ready' ? this.stored(name, id) : undefined
      : undefined;
    const served = new TrafficSplit({
      service: name,
      splits: splits.map(({ revision, percent }) => ({ revision: find(revision), percent })),
      tags: new Map(Object.entries(traffic?.tags ?? {}).map(([tag, revision]) => [tag, find(revision)])),
      byHeader,
      sticky,
      wakeFilter,
    });
    return { served, serving, byHeader };
  }
}
