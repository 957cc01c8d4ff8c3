/** What is needed to choose an instance to evict. */
export interface Evictable {
  readonly idle: boolean;
  /** Is it idle unless a quota is used? */
  readonly maybeIdle: boolean;
  /** In the clock's time. */
  readonly idleSinceMs: number;
}

/** The instances of one revision. */
export interface EvictableGroup<I extends Evictable> {
  readonly instances: Iterable<I>;
  /** The number of requests waiting for one of them. */
  readonly pending: number;
  /** Must one run even without requests? */
  readonly kept: boolean;
}

/** Chooses the instance to stop for another: the least recently used idle one; a kept one only if there is no other. */
export function chooseToEvict<I extends Evictable>(groups: Iterable<EvictableGroup<I>>): I | undefined {
  let oldest: I | undefined;
  let oldestKept: I | undefined;
  for (const { instances, pending, kept } of groups) {
    if (pending > 0) continue;
    for (const one of instances) {
      if (!one.idle && !one.maybeIdle) continue;
      if (kept) oldestKept = older(one, oldestKept);
      else oldest = older(one, oldest);
    }
  }
  return oldest ?? oldestKept;
}

function older<I extends Evictable>(one: I, other: I | undefined): I {
  return other === undefined || one.idleSinceMs < other.idleSinceMs ? one : other;
}
