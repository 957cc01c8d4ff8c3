import { Quota } from './quota.ts';

/** What one instance has given out in quotas. */
export class Quotas {
  readonly #all = new Set<Quota>();
  readonly #returned: (idleMs: number) => void;

  /** @param returned called when some of a quota has come back */
  constructor(returned: (idleMs: number) => void) {
    this.#returned = returned;
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Leases that may be open by quotas; Infinity if there is one without a limit. */
  get size(): number {
    let size = 0;
    for (const quota of this.#all) size += quota.size;
    return size;
  }

  /** How many hold one. */
  get holders(): number {
    return this.#all.size;
  }

  /** Is the instance in use by a quota, as far as is known? */
  get inUse(): boolean {
    for (const { isDraining } of this.#all) if (isDraining) return true;
    return false;
  }

  /** Has each holder been asked to return what it does not use, and not answered yet? */
  get isAsked(): boolean {
    for (const { isAsked } of this.#all) if (isAsked) return true;
    return false;
  }

  /** Gives out a quota. @param tell tells its holder that it is revoked */
  open(size: number, tell: (quota: Quota) => void): Quota {
    const quota = new Quota(size, tell, (from, idleMs) => {
      if (from.isReturned) this.#all.delete(from);
      this.#returned(idleMs);
    });
    this.#all.add(quota);
    return quota;
  }

  /** Whoever holds one gives out no more leases by it, and tells how many are open. */
  revoke(): void {
    for (const quota of this.#all) quota.revoke();
  }
}
