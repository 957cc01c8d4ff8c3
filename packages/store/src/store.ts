import type {
  Outcome,
  RevisionSpec,
  Service,
  ServiceDefinition,
  StoredRevision,
  Traffic,
} from '@cless/model';

/** The version a change applies to: that number, `absent` if the service must not exist yet, or undefined for any. */
export interface Expectation {
  readonly expected?: number | 'absent' | undefined;
}

/** One page of a list. */
export interface Page {
  /** The last item of the previous page. */
  readonly after?: string | undefined;
  /** The most items to return. Default 100. */
  readonly limit?: number | undefined;
}

/**
 * Services, their revisions and their traffic. When a method returns, its change is on disk (if the store has one); a
 * method that throws has changed nothing.
 *
 * Methods are synchronous: there is one writer, a read takes microseconds, and a change of the traffic happens at once
 * or not at all.
 *
 * All errors have a code. If another program is writing the database, methods fail almost at once with
 * `DATABASE_BUSY` instead of waiting, which would block the event loop; the caller tries again.
 */
export interface Store {
  /** Services by name. */
  services(page?: Page): Service[];
  /** How many services there are. */
  count(): number;
  service(name: string): Service | undefined;
  /** The service that a host, written as in its definition, belongs to. Constant time. */
  ownerOf(host: string): string | undefined;
  /** Creates a service or replaces its definition; its traffic stays. Putting an equal definition changes nothing. */
  put(definition: ServiceDefinition, expectation?: Expectation): Service;
  /** Removes a service and its revisions. Returns whether it existed. */
  remove(name: string, expectation?: Expectation): boolean;
  /** Replaces the traffic. Only revisions that have been ready at least once may get any. */
  setTraffic(name: string, traffic: Traffic, expectation?: Expectation): Service;

  /** Lists revisions, newest first; `after` is a revision's name. */
  revisions(service: string, page?: Page): StoredRevision[];
  revision(service: string, name: string): StoredRevision | undefined;
  /** Adds a revision, in phase `pending`. */
  addRevision(
    service: string,
    spec: RevisionSpec,
    secrets?: Readonly<Record<string, string>>,
  ): StoredRevision;
  /** The values of a revision's secrets. No other method returns them. */
  secrets(service: string, revision: string): Readonly<Record<string, string>>;
  /** Records how a deploy ended. A revision that has been ready once stays ready. */
  settle(service: string, revision: string, outcome: Outcome): StoredRevision;
  /** Removes a revision that gets no traffic. Returns whether it existed. */
  removeRevision(service: string, revision: string): boolean;

  /**
   * Calls the listener with the name of each changed service, after the change. Returns a function that unsubscribes.
   */
  onChange(listener: (service: string) => void): () => void;
  close(): void;
}
