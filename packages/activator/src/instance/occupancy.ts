import type { Clock } from '@cless/model';
import type { Quota } from '../quota/quota.ts';
import { Quotas } from '../quota/quotas.ts';
import { Usage } from './usage.ts';

/** How many leases an instance has given out, itself and in quotas, and how many it may. */
export class Occupancy {
  /** Leases at once; Infinity means no limit. */
  readonly #limit: number;
  readonly #usage: Usage;
  readonly #quotas: Quotas;

  /** @param quotaReturned called when some of a quota has come back */
  constructor(limit: number, clock: Clock, quotaReturned: () => void) {
    this.#limit = limit;
    this.#usage = new Usage(clock);
    this.#quotas = new Quotas((idleMs) => {
      this.#usage.touch(idleMs);
      quotaReturned();
    });
  }

  /** By leases that were given out here; who holds a quota may use it, too. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Is it in use, as far as is known? Of a quota that is known when it has been revoked. */
  get inUse(): boolean {
    return this.#usage.leases > 0 || this.#quotas.inUse;
  }

  /** Does somebody hold a quota? */
  get isLent(): boolean {
    return !this.#quotas.isEmpty;
  }

  /** Leases that are open, or given out in quotas; of a quota without a limit that counts as one. */
  get load(): number {
    return this.#usage.leases + (this.#isLimited ? this.#quotas.size : this.#quotas.holders);
  }

  /** How many leases may be given out yet. */
  get room(): number {
    return this.#isLimited ? this.#limit - this.load : this.#limit;
  }

  /**
   * Adds to what somebody holds already, or gives him a quota: for one lease that is handed over, and half of what
   * there is room for.
   *
   * @param serves may more leases be given out? Else the quota is for that lease, and drains
   */
  lend(serves: boolean, held: Quota | undefined, tell: (quota: Quota) => void): Quota {
    const size = this.#isLimited ? 1 + (serves ? Math.floor(this.room / 2) : 0) : Number.POSITIVE_INFINITY;
    let quota = held;
    if (quota?.isHeld) quota.grow(size);
    else quota = this.#quotas.open(size, tell);
    if (!serves) quota.drain();
    return quota;
  }

  /** Makes a quota larger, by half of what there is room for. */
  refill(quota: Quota): void {
    if (this.#isLimited) quota.grow(Math.ceil(this.room / 2));
  }

  /** Has those that hold quotas return what they do not use, if that makes room; says whether that is under way. */
  recall(): boolean {
    if (!this.#isLimited) return false;
    this.#quotas.revoke();
    return this.#quotas.isAsked;
  }

  /** Whoever holds a quota gives out no more leases by it, and tells how much it is in use. */
  revoke(): void {
    this.#quotas.revoke();
  }

  // Private

  get #isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }
}
