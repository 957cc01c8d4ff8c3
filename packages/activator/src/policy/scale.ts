import type { Revision } from '../revision.ts';

/** What is asked of a revision. */
export interface Demand {
  /** Requests that wait. */
  readonly waiting: number;
  /** Leases that are open. */
  readonly inUse: number;
  /** Is one to run though nobody asks for it? */
  readonly isKept: boolean;
}

/** How many instances there may be. */
export function maxScale({ maxScale: most = 1 }: Pick<Revision, 'maxScale'>): number {
  return most;
}

/**
 * How many instances there should be: as many as the requests of now need, where an instance takes so many at once. Where it
 * takes any number, one is enough for those that wait. What is there beyond that goes when it is idle.
 */
export function wantedScale(
  revision: Pick<Revision, 'concurrency' | 'maxScale'>,
  { waiting, inUse, isKept }: Demand,
): number {
  const { concurrency = Number.POSITIVE_INFINITY } = revision;
  const least = waiting > 0 || isKept ? 1 : 0;
  return Math.min(maxScale(revision), Math.max(least, Math.ceil((waiting + inUse) / concurrency)));
}
