import type { FixedAnswer, Revision } from '@cless/model';
import type { Fields } from '../exchange/incoming.ts';

/** How a request of a service is handled. */
export interface Choice {
  /** The revision it goes to. */
  readonly revision: Revision;
  /** `Set-Cookie` for the answer, if a cookie keeps clients at their revision; undefined otherwise. */
  readonly cookie: string | undefined;
  /**
   * What it gets if the service sleeps, for a request that neither wakes the service nor keeps it awake. Undefined
   * for one that does.
   */
  readonly whileAsleep: FixedAnswer | 'problem' | undefined;
}

/** A service as seen by requests. */
export interface ServedService {
  /** Is there a revision that requests may get? If not, another source may serve the name. */
  readonly serves: boolean;
  /** The revisions that get requests now. */
  readonly revisions: readonly Revision[];
  /**
   * Chooses how a request is handled.
   *
   * @param path including the query
   * @param tag the tag of the host; undefined if it has none
   * @throws {Failure} `REVISION_NOT_FOUND` or `SERVICE_NOT_FOUND`
   */
  choose(request: Fields, path: string, tag: string | undefined): Choice;
}

/** Finds services and their revisions. */
export interface ServiceSource {
  /** The service, if it is known without asking anybody else; undefined otherwise. */
  known(service: string): ServedService | undefined;
  /** The service; undefined if there is none of that name. */
  resolve(service: string): Promise<ServedService | undefined>;
  /** The revision with that id; undefined if it may get no requests, so that its instances are unwanted. */
  revision(service: string, id: string): Promise<Revision | undefined>;
  /** Must be called after each change of that service. */
  changed(service: string): void;
  /** Called when something that revisions are made from has changed. */
  refresh(): void;
  /** Calls the listener with each revision that stops serving. */
  onRetired(listener: (revision: Revision) => void): void;
  /**
   * Calls the listener with each revision that must run even without requests: the present ones, and later ones as
   * they appear.
   */
  onKept(listener: (revision: Revision) => void): void;
}
