/** One immutable version of a service. Times in milliseconds. */
export interface Revision<Spec = unknown> {
  readonly service: string;
  /** Unique within the service. */
  readonly id: string;
  /** What the runtime starts instances from. */
  readonly spec: Spec;
  /**
   * How to find out that an instance may get its first request. Passed to the probe; the timeout also limits the wait
   * for a turn.
   */
  readonly readiness: { readonly timeoutMs: number };
  /** After how much idle time an instance is paused and stopped; undefined means never. */
  readonly idle: { readonly pauseAfterMs: number | undefined; readonly stopAfterMs: number | undefined };
  /** How long an instance may take to stop by itself. */
  readonly stopGraceMs: number;
  /**
   * `replace`: it never runs at the same time as another `replace` revision of the service, since they write the same
   * volumes. Default `overlap`.
   */
  readonly rollout?: 'replace' | 'overlap' | undefined;
  /** How many leases of one instance may be open at once. Undefined means no limit. */
  readonly concurrency?: number | undefined;
  /** How many instances there may be at once. Default 1. */
  readonly maxScale?: number | undefined;
  /** How long it may take to begin an answer; for the forwarder. */
  readonly responseTimeoutMs?: number | undefined;
  /** Values that must appear in no event. */
  readonly secrets?: readonly string[] | undefined;
}

/** The revisions that may get requests. */
export interface Revisions<R extends Revision = Revision> {
  /** The revision with that id; undefined if it may get no requests, so that its instances are unwanted. */
  revision(service: string, id: string): Promise<R | undefined>;
  /** Called when something that revisions are made from has changed. */
  refresh?(): void;
  /** Calls the listener with each revision that stops serving. */
  onRetired?(listener: (revision: R) => void): void;
  /**
   * Calls the listener with each revision that must run even without requests: the present ones, and later ones as
   * they appear.
   */
  onKept?(listener: (revision: R) => void): void;
}

/** A key that identifies the revision. */
export function keyOf({ service, id }: Pick<Revision, 'service' | 'id'>): string {
  return `${service}\n${id}`;
}
