import type { RevisionSpec } from './revision-spec.ts';
import type { Outcome, Revision, Service, ServiceDefinition, Traffic } from './service.ts';

/** Which version a change is made to: that number; `absent`, there must be none yet; nothing, whichever. */
export interface Expectation {
  readonly expected?: number | 'absent' | undefined;
}

/** A part of a list. */
export interface Page {
  /** What came last on the page before. */
  readonly after?: string | undefined;
  /** At most so many. Default 100. */
  readonly limit?: number | undefined;
}

/**
 * Services, their revisions and their traffic. What a method has returned from is on disk, if the store has one; a
 * method that throws has changed nothing.
 *
 * Methods are synchronous: there is one writer, a read takes microseconds, and a change of the traffic happens at once
 * or not at all.
 *
 * All errors have a code. A database that another program is writing is an error at once, or
 * nearly so (`DATABASE_BUSY`): the event loop stands while a method waits, so whoever called tries again.
 */
export interface Store {
  /** Services by name. */
  services(page?: Page): Service[];
  /** How many services there are. */
  count(): number;
  service(name: string): Service | undefined;
  /** The service that a host, as it is written in the definition, belongs to; in constant time. */
  ownerOf(host: string): string | undefined;
  /** Creates a service or replaces its definition; its traffic stays. The same again changes nothing. */
  put(definition: ServiceDefinition, expectation?: Expectation): Service;
  /** Removes a service and its revisions; says whether there was one. */
  remove(name: string, expectation?: Expectation): boolean;
  /** Replaces the traffic. Only revisions that have been ready once may get some. */
  setTraffic(name: string, traffic: Traffic, expectation?: Expectation): Service;

  /** Revisions, the newest first; `after` is a revision's name. */
  revisions(service: string, page?: Page): Revision[];
  revision(service: string, name: string): Revision | undefined;
  /** Adds a revision, which is `pending`. */
  addRevision(service: string, spec: RevisionSpec, secrets?: Readonly<Record<string, string>>): Revision;
  /** The values of a revision's secrets; nothing else gives them out. */
  secrets(service: string, revision: string): Readonly<Record<string, string>>;
  /** Records how a deploy came out. What has been ready once stays so. */
  settle(service: string, revision: string, outcome: Outcome): Revision;
  /** Removes a revision that gets no traffic; says whether there was one. */
  removeRevision(service: string, revision: string): boolean;

  /** Calls the listener with the name of each service that has changed, after the change; gives back how to stop that. */
  onChange(listener: (service: string) => void): () => void;
  close(): void;
}
