/** One immutable version of a service. Times in milliseconds. */
export interface Revision<Spec = unknown> {
  readonly service: string;
  /** Unique within the service. */
  readonly id: string;
  /** What the runtime starts instances from. */
  readonly spec: Spec;
  /** How to tell that an instance may get its first request: all of it is for the probe, the timeout for others, too. */
  readonly readiness: { readonly timeoutMs: number };
  /** What happens after how much idleness; undefined means never. */
  readonly idle: { readonly pauseAfterMs: number | undefined; readonly stopAfterMs: number | undefined };
  /** How long an instance may take to stop by itself. */
  readonly stopGraceMs: number;
  /**
   * `replace`: never beside another instance of a revision of the service that replaces, too, since they write the same
   * volumes. Else they overlap.
   */
  readonly rollout?: 'replace' | 'overlap' | undefined;
  /** Leases at once of one instance. Undefined means no limit. */
  readonly concurrency?: number | undefined;
  /** Instances at once. Default: 1. */
  readonly maxScale?: number | undefined;
  /** How long it may take to begin an answer, for whoever sends it requests. */
  readonly responseTimeoutMs?: number | undefined;
  /** Values that must appear in no event. */
  readonly secrets?: readonly string[] | undefined;
}

/** Which revisions there are. */
export interface Revisions<R extends Revision = Revision> {
  /** The revision of that id, if it may get requests: what runs of it is wanted. */
  revision(service: string, id: string): Promise<R | undefined>;
  /** Something that revisions are made from has changed. */
  refresh?(): void;
  /** Calls the listener with each revision that serves no longer. */
  onRetired?(listener: (revision: R) => void): void;
  /** Calls the listener with each revision that is to run though nobody asks for it: those of now, and those to come. */
  onKept?(listener: (revision: R) => void): void;
}

/** Tells one revision from all others. */
export function keyOf({ service, id }: Pick<Revision, 'service' | 'id'>): string {
  return `${service}\n${id}`;
}
