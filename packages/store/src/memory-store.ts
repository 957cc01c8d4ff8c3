import type {
  Outcome,
  RevisionSpec,
  Service,
  ServiceDefinition,
  StoredRevision,
  Traffic,
} from '@cless/model';
import { Listeners } from './listeners.ts';
import {
  canonical,
  checkExpectation,
  checkOwner,
  checkTraffic,
  checkUnused,
  DEFAULT_PAGE_SIZE,
  NO_TRAFFIC,
  revisionName,
  revisionNotFound,
  serviceNotFound,
  settled,
} from './rules.ts';
import type { Expectation, Page, Store } from './store.ts';

interface Kept {
  service: Service;
  /** By name, oldest first. */
  readonly revisions: Map<
    string,
    { revision: StoredRevision; readonly secrets: Readonly<Record<string, string>> }
  >;
}

/** Services in memory: for tests, and for installations that are set up from scratch at each start. */
export class MemoryStore implements Store {
  readonly #services = new Map<string, Kept>();
  readonly #hosts = new Map<string, string>();
  /** The last version and revision number of each service, including removed ones. */
  readonly #counters = new Map<string, { version: number; revision: number }>();
  readonly #listeners = new Listeners();
  /** All names in order; undefined after one was added or removed. */
  #sorted: string[] | undefined;

  services({ after = '', limit = DEFAULT_PAGE_SIZE }: Page = {}): Service[] {
    this.#sorted ??= [...this.#services.keys()].sort();
    const start = this.#sorted.findIndex((name) => name > after);
    return start === -1
      ? []
      : this.#sorted.slice(start, start + limit).map((name) => this.#kept(name).service);
  }

  count(): number {
    return this.#services.size;
  }

  service(name: string): Service | undefined {
    return this.#services.get(name)?.service;
  }

  ownerOf(host: string): string | undefined {
    return this.#hosts.get(host);
  }

  put(wanted: ServiceDefinition, expectation?: Expectation): Service {
    const definition = canonical(structuredClone(wanted));
    const { name, hosts } = definition;
    const kept = this.#services.get(name);
    checkExpectation(name, kept?.service, expectation);
    for (const host of hosts) checkOwner(name, host, this.#hosts.get(host));
    if (kept !== undefined && JSON.stringify(canonical(kept.service)) === JSON.stringify(definition))
      return kept.service;

    for (const host of kept?.service.hosts ?? []) this.#hosts.delete(host);
    for (const host of hosts) this.#hosts.set(host, name);
    const now = new Date().toISOString();
    const service: Service = {
      ...definition,
      traffic: kept?.service.traffic ?? NO_TRAFFIC,
      version: this.#count(name, 'version'),
      createdAt: kept?.service.createdAt ?? now,
      updatedAt: now,
    };
    if (kept === undefined) {
      this.#services.set(name, { service, revisions: new Map() });
      this.#sorted = undefined;
    } else {
      kept.service = service;
    }
    this.#listeners.tell(name);
    return service;
  }

  remove(name: string, expectation?: Expectation): boolean {
    const kept = this.#services.get(name);
    checkExpectation(name, kept?.service, expectation);
    if (kept === undefined) return false;
    for (const host of kept.service.hosts) this.#hosts.delete(host);
    this.#services.delete(name);
    this.#sorted = undefined;
    this.#listeners.tell(name);
    return true;
  }

  setTraffic(name: string, wanted: Traffic, expectation?: Expectation): Service {
    const traffic = structuredClone(wanted);
    const kept = this.#kept(name);
    checkExpectation(name, kept.service, expectation);
    checkTraffic(name, traffic, (revision) => kept.revisions.get(revision)?.revision);
    kept.service = {
      ...kept.service,
      traffic,
      version: this.#count(name, 'version'),
      updatedAt: new Date().toISOString(),
    };
    this.#listeners.tell(name);
    return kept.service;
  }

  revisions(service: string, { after, limit = DEFAULT_PAGE_SIZE }: Page = {}): StoredRevision[] {
    const { revisions } = this.#kept(service);
    const newestFirst = [...revisions.values()].map(({ revision }) => revision).reverse();
    const below = after === undefined ? Number.POSITIVE_INFINITY : this.#revision(service, after).number;
    return newestFirst.filter(({ number }) => number < below).slice(0, limit);
  }

  revision(service: string, name: string): StoredRevision | undefined {
    return this.#services.get(service)?.revisions.get(name)?.revision;
  }

  addRevision(
    service: string,
    spec: RevisionSpec,
    secrets: Readonly<Record<string, string>> = {},
  ): StoredRevision {
    const { revisions } = this.#kept(service);
    const number = this.#count(service, 'revision');
    const revision: StoredRevision = {
      service,
      name: revisionName(service, number),
      number,
      spec: structuredClone(spec),
      secretNames: Object.keys(secrets).sort(),
      state: { phase: 'pending' },
      createdAt: new Date().toISOString(),
    };
    revisions.set(revision.name, { revision, secrets: { ...secrets } });
    this.#listeners.tell(service);
    return revision;
  }

  secrets(service: string, name: string): Readonly<Record<string, string>> {
    this.#revision(service, name);
    return { ...this.#kept(service).revisions.get(name)?.secrets };
  }

  settle(service: string, name: string, outcome: Outcome): StoredRevision {
    const before = this.#revision(service, name);
    const revision = { ...before, state: settled(before.state, outcome, new Date().toISOString()) };
    const kept = this.#kept(service).revisions.get(name);
    if (kept !== undefined) kept.revision = revision;
    this.#listeners.tell(service);
    return revision;
  }

  removeRevision(service: string, name: string): boolean {
    const kept = this.#kept(service);
    checkUnused(kept.service.traffic, name);
    const removed = kept.revisions.delete(name);
    if (removed) this.#listeners.tell(service);
    return removed;
  }

  onChange(listener: (service: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {}

  // Private

  #kept(name: string): Kept {
    const kept = this.#services.get(name);
    if (kept === undefined) throw serviceNotFound(name);
    return kept;
  }

  #revision(service: string, name: string): StoredRevision {
    const revision = this.#kept(service).revisions.get(name)?.revision;
    if (revision === undefined) throw revisionNotFound(service, name);
    return revision;
  }

  #count(name: string, what: 'version' | 'revision'): number {
    const counters = this.#counters.get(name) ?? { version: 0, revision: 0 };
    this.#counters.set(name, counters);
    counters[what] += 1;
    return counters[what];
  }
}
