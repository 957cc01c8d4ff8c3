import { Quota } from './quota.ts';

/** The quotas of one instance. */
export class Quotas {
  readonly #all = new Set<Quota>();
  readonly #returned: (idleMs: number) => void;

  /** @param returned called when part of a quota has been returned */
  constructor(returned: (idleMs: number) => void) {
    this.#returned = returned;
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** How many leases may be open under quotas; Infinity if one has no limit. */
  get size(): number {
    let size = 0;
    for (const quota of this.#all) size += quota.size;
    return size;
  }

  /** How many holders there are. */
  get holders(): number {
    return this.#all.size;
  }

  /** Is the instance known to be in use under a quota? */
  get inUse(): boolean {
    for (const { isDraining } of this.#all) if (isDraining) return true;
    return false;
  }

  /** Has every holder been asked to return the unused part, and not answered yet? */
  get isAsked(): boolean {
    for (const { isAsked } of this.#all) if (isAsked) return true;
    return false;
  }

  /** Gives out a quota. @param tell called to tell its holder that it is revoked */
  open(size: number, tell: (quota: Quota) => void): Quota {
    const quota = new Quota(size, tell, (from, idleMs) => {
      if (from.isReturned) this.#all.delete(from);
      this.#returned(idleMs);
    });
    this.#all.add(quota);
    return quota;
  }

  /** Revokes all: holders give out no more leases and report how many are open. */
  revoke(): void {
    for (const quota of this.#all) quota.revoke();
  }
}
