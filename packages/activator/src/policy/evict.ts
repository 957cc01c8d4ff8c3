/** What is known of an instance when another one needs its room. */
export interface Evictable {
  readonly idle: boolean;
  /** Would it be idle, if those that hold quotas do not use it? */
  readonly maybeIdle: boolean;
  /** On the clock. */
  readonly idleSinceMs: number;
}

/** Instances of one revision. */
export interface EvictableGroup<I extends Evictable> {
  readonly instances: Iterable<I>;
  /** Requests that wait for one of them. */
  readonly pending: number;
  /** Is one to run though nobody asks for it? */
  readonly kept: boolean;
}

/** The instance that goes for another one: the least recently used that is idle; one that is kept only if there is no other. */
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
