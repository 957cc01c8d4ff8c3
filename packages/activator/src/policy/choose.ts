/** What is known of an instance when somebody wants a lease. */
export interface Choosable {
  /** May a lease be given out? */
  readonly available: boolean;
  /** Did it fail to answer a moment ago? */
  readonly isSuspect: boolean;
  /** Leases that are open, or promised to others. */
  readonly load: number;
}

/** The instance that gets the next lease: not one that has just failed, if there is another, and the one least in use. */
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

/** The one to wake: the one that was used last, which has most of what it needs at hand. */
export function chooseAsleep<I extends { readonly idleSinceMs: number }>(paused: Iterable<I>): I | undefined {
  let best: I | undefined;
  for (const one of paused) if (best === undefined || one.idleSinceMs > best.idleSinceMs) best = one;
  return best;
}
