/** How much of a revoked quota is in use. */
export interface QuotaUse {
  /** The number of open leases. */
  readonly leases: number;
  /** How long none of them has kept the instance awake, in milliseconds; Infinity if none ever did. */
  readonly idleMs: number;
}

/**
 * The right of a holder to give out a number of leases of an instance by itself. How many are open is unknown here
 * until the quota is revoked; then the holder returns the unused part, and the rest as it ends.
 */
export class Quota {
  static #count = 0;
  readonly id = ++Quota.#count;
  readonly #returned: (quota: Quota, idleMs: number) => void;
  /** Tells the holder that it is revoked; the answer is a call of {@link returned}. */
  readonly #tell: (quota: Quota) => void;
  #size: number;
  #state: 'held' | 'revoked' | 'draining' | 'returned' = 'held';

  /**
   * @param size how many leases may be open at once; Infinity means no limit
   * @param tell called to tell the holder that it is revoked
   * @param returned called each time part of it is returned
   */
  constructor(size: number, tell: (quota: Quota) => void, returned: (quota: Quota, idleMs: number) => void) {
    this.#size = size;
    this.#tell = tell;
    this.#returned = returned;
  }

  /** How many leases may be open under it or, once that is known, are. */
  get size(): number {
    return this.#size;
  }

  /** May leases be given out under it? */
  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Has it been revoked, and the holder not answered yet? */
  get isAsked(): boolean {
    return this.#state === 'revoked';
  }

  /** Are leases known to be open under it? */
  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Has all of it been returned? */
  get isReturned(): boolean {
    return this.#state === 'returned';
  }

  /** Allows that many more leases. Call only while it is held. */
  grow(leases: number): void {
    this.#size += leases;
  }

  /** Revokes the quota; no more leases once the holder has been told. */
  revoke(): void {
    if (this.#state !== 'held') return;
    this.#state = 'revoked';
    this.#tell(this);
  }

  /** Allows no more leases than those already promised, as the holder knows. */
  drain(): void {
    if (this.#state === 'held') this.#state = 'draining';
  }

  /** Called when the holder gives out no more leases, with those that are open. */
  returned({ leases, idleMs }: QuotaUse): void {
    if (this.#state === 'returned') return;
    this.#size = leases;
    this.#state = leases > 0 ? 'draining' : 'returned';
    this.#returned(this, idleMs);
  }
}
