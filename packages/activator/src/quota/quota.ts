/** How much of a quota is in use, when its holder gives out no more leases by it. */
export interface QuotaUse {
  /** Leases that are open by it. */
  readonly leases: number;
  /** For how long none has kept the instance awake, in milliseconds; Infinity if none ever did. */
  readonly idleMs: number;
}

/**
 * The right of somebody else to give out so many leases of an instance at once by himself. How many of them are open is not
 * known here, until the quota is revoked: then its holder returns what it does not use, and the rest when that ends.
 */
export class Quota {
  static #count = 0;
  readonly id = ++Quota.#count;
  readonly #returned: (quota: Quota, idleMs: number) => void;
  /** Tells the holder, who answers with {@link returned}. */
  readonly #tell: (quota: Quota) => void;
  #size: number;
  #state: 'held' | 'revoked' | 'draining' | 'returned' = 'held';

  /**
   * @param size leases at once; Infinity means no limit
   * @param tell tells the holder that it is revoked
   * @param returned called each time that some of it is returned
   */
  constructor(size: number, tell: (quota: Quota) => void, returned: (quota: Quota, idleMs: number) => void) {
    this.#size = size;
    this.#tell = tell;
    this.#returned = returned;
  }

  /** Leases that may be open by it, or once that is known, that are. */
  get size(): number {
    return this.#size;
  }

  /** May leases be given out by it? */
  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Is it revoked, and its holder has yet to say what is open? */
  get isAsked(): boolean {
    return this.#state === 'revoked';
  }

  /** Are leases open by it, and known to be? */
  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Nothing of it is left. */
  get isReturned(): boolean {
    return this.#state === 'returned';
  }

  /** The holder may give out so many more; only while it is held. */
  grow(leases: number): void {
    this.#size += leases;
  }

  /** No more leases by it, from when the holder hears of it. */
  revoke(): void {
    if (this.#state !== 'held') return;
    this.#state = 'revoked';
    this.#tell(this);
  }

  /** No more leases by it, as its holder knows: what is left is what was promised. */
  drain(): void {
    if (this.#state === 'held') this.#state = 'draining';
  }

  /** Its holder gives out no more, and has so many open. */
  returned({ leases, idleMs }: QuotaUse): void {
    if (this.#state === 'returned') return;
    this.#size = leases;
    this.#state = leases > 0 ? 'draining' : 'returned';
    this.#returned(this, idleMs);
  }
}
