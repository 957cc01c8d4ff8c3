import type { Revision } from '@cless/model';

/** Which revisions there are. */
export interface Revisions {
  /** The revision of that id, if it may get requests: what runs of it is wanted. */
  revision(service: string, id: string): Promise<Revision | undefined>;
  /** Something that revisions are made from has changed. */
  refresh(): void;
  /** Calls the listener with each revision that serves no longer. */
  onRetired(listener: (revision: Revision) => void): void;
  /** Calls the listener with each revision that is to run though nobody asks for it: those of now, and those to come. */
  onKept(listener: (revision: Revision) => void): void;
}
