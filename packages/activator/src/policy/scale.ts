import type { Revision } from '../revision.ts';

/** The demand for a revision. */
export interface Demand {
  /** The number of waiting requests. */
  readonly waiting: number;
  /** The number of open leases. */
  readonly inUse: number;
  /** Must one run even without requests? */
  readonly isKept: boolean;
}

/** The most instances of a revision. */
export function maxScale({ maxScale: most = 1 }: Pick<Revision, 'maxScale'>): number {
  return most;
}

/**
 * How many instances there should be: enough for the present requests, given the concurrency of one. Without a limit,
 * one is enough. Surplus instances stop when they are idle.
 */
export function wantedScale(
  revision: Pick<Revision, 'concurrency' | 'maxScale'>,
  { waiting, inUse, isKept }: Demand,
): number {
  const { concurrency = Number.POSITIVE_INFINITY } = revision;
  const least = waiting > 0 || isKept ? 1 : 0;
  return Math.min(maxScale(revision), Math.max(least, Math.ceil((waiting + inUse) / concurrency)));
}
