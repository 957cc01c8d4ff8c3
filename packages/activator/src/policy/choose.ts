/** What is needed to choose an instance for a lease. */
export interface Choosable {
  /** May a lease be given out now? */
  readonly available: boolean;
  /** Has it failed to answer recently? */
  readonly isSuspect: boolean;
  /** The number of leases that are open or promised. */
  readonly load: number;
}

/**
 * Chooses the instance for the next lease: the least used one, and only if there is no other, one that has just
 * failed.
 */
export function choose<I extends Choosable>(instances: Iterable<I>): I | undefined {
  let best: I | undefined;
  for (const one of instances) {
    if (one.available && (best === undefined || isBetter(one, best))) best = one;
  }
  return best;
}

function isBetter(one: Choosable, other: Choosable): boolean {
  return one.isSuspect === other.isSuspect ? one.load < other.load : other.isSuspect;
}

/** Chooses the instance to wake: the most recently used one, which has most of its memory at hand. */
export function chooseAsleep<I extends { readonly idleSinceMs: number }>(paused: Iterable<I>): I | undefined {
  let best: I | undefined;
  for (const one of paused) if (best === undefined || one.idleSinceMs > best.idleSinceMs) best = one;
  return best;
}
