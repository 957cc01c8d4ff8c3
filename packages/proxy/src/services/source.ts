import type { FixedAnswer, Revision } from '@cless/model';
import type { Fields } from '../exchange/incoming.ts';

/** What becomes of a request of a service. */
export interface Choice {
  /** Where it goes to. */
  readonly revision: Revision;
  /** `Set-Cookie` for the answer, where clients stay with their revision. */
  readonly cookie: string | undefined;
  /** What it gets if the service sleeps, for it neither wakes it nor keeps it awake. Undefined: it does both. */
  readonly whileAsleep: FixedAnswer | 'problem' | undefined;
}

/** A service as requests find it. */
export interface ServedService {
  /** Is there a revision that a request may get? If not, somebody else may serve the name. */
  readonly serves: boolean;
  /** Those that get requests now. */
  readonly revisions: readonly Revision[];
  /**
   * What becomes of a request.
   *
   * @param path with its query
   * @param tag what the host said
   * @throws {Failure} `REVISION_NOT_FOUND` or `SERVICE_NOT_FOUND`
   */
  choose(request: Fields, path: string, tag: string | undefined): Choice;
}

/** Service → the revisions that serve it. */
export interface ServiceSource {
  /** The service, if it is known without asking anybody. */
  known(service: string): ServedService | undefined;
  /** The service. Undefined if there is none of that name. */
  resolve(service: string): Promise<ServedService | undefined>;
  /** The revision of that id, if it may get requests: what runs of it is wanted. */
  revision(service: string, id: string): Promise<Revision | undefined>;
  /** To be called after each change of that service, by whoever has made it. */
  changed(service: string): void;
  /** Something that revisions are made from has changed. */
  refresh(): void;
  /** Calls the listener with each revision that serves no longer. */
  onRetired(listener: (revision: Revision) => void): void;
  /** Calls the listener with each revision that is to run though nobody asks for it: those of now, and those to come. */
  onKept(listener: (revision: Revision) => void): void;
}
