import type { IncomingMessage } from 'node:http';
import type { FixedAnswer, Revision } from '@cless/model';

/** A service as requests find it. */
export interface ServedService {
  /** Is there a revision that a request may get? If not, somebody else may serve the name. */
  readonly serves: boolean;
  /** Those that get requests now. */
  readonly revisions: readonly Revision[];
  /**
   * The revision that a request goes to.
   *
   * @param tag what the host said
   * @throws an error of code `REVISION_NOT_FOUND` or `SERVICE_NOT_FOUND`
   */
  choose(request: IncomingMessage, tag: string | undefined): Revision;
  /** `Set-Cookie` for the answer, where clients stay with their revision. */
  cookie(request: IncomingMessage, revision: Revision): string | undefined;
  /** What a request gets that neither wakes the service nor keeps it awake, while it sleeps; nothing for all others. */
  whileAsleep(request: IncomingMessage, path: string): FixedAnswer | 'problem' | undefined;
}

/** Service → the revisions that serve it. */
export interface ServiceSource {
  /** The service, if it is known without asking anybody. */
  known(service: string): ServedService | undefined;
  /** The service; nothing if there is none of that name. */
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
