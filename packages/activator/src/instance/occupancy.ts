import type { Clock } from '@cless/model';
import type { Quota } from '../quota/quota.ts';
import { Quotas } from '../quota/quotas.ts';
import { Usage } from './usage.ts';

/** How many leases an instance has given out, itself and in quotas, and how many more it may. */
export class Occupancy {
  /** How many leases may be open at once; Infinity means no limit. */
  readonly #limit: number;
  readonly #usage: Usage;
  readonly #quotas: Quotas;

  /** @param quotaReturned called when part of a quota has been returned */
  constructor(limit: number, clock: Clock, quotaReturned: () => void) {
    this.#limit = limit;
    this.#usage = new Usage(clock);
    this.#quotas = new Quotas((idleMs) => {
      this.#usage.touch(idleMs);
      quotaReturned();
    });
  }

  /** Counts leases given out here; the holder of a quota may use the instance, too. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Is it known to be in use? Whether a quota is used is only known after it has been revoked. */
  get inUse(): boolean {
    return this.#usage.leases > 0 || this.#quotas.inUse;
  }

  /** Does anybody hold a quota? */
  get isLent(): boolean {
    return !this.#quotas.isEmpty;
  }

  /** The number of leases that are open or given out in quotas. A quota without a limit counts as one. */
  get load(): number {
    return this.#usage.leases + (this.#isLimited ? this.#quotas.size : this.#quotas.holders);
  }

  /** How many more leases may be given out. */
  get room(): number {
    return this.#isLimited ? this.#limit - this.load : this.#limit;
  }

  /**
   * Enlarges a holder's quota, or creates one: for the lease being handed over, and half of the remaining room.
   *
   * @param serves may more leases be given out? If not, the quota only covers that lease, and drains
   */
  lend(serves: boolean, held: Quota | undefined, tell: (quota: Quota) => void): Quota {
    const size = this.#isLimited ? 1 + (serves ? Math.floor(this.room / 2) : 0) : Number.POSITIVE_INFINITY;
    if (held?.isHeld) {
      held.grow(size); // also while nothing is given out here: its holder goes on until it is revoked
      return held;
    }
    const quota = this.#quotas.open(size, tell);
    if (!serves) quota.drain();
    return quota;
  }

  /** Enlarges a quota by half of the remaining room. */
  refill(quota: Quota): void {
    if (this.#isLimited) quota.grow(Math.ceil(this.room / 2));
  }

  /** Makes holders return unused parts of quotas if that makes room. Returns whether that is under way. */
  recall(): boolean {
    if (!this.#isLimited) return false;
    this.#quotas.revoke();
    return this.#quotas.isAsked;
  }

  /** Revokes all quotas: holders give out no more leases and report how many are open. */
  revoke(): void {
    this.#quotas.revoke();
  }

  // Private

  get #isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }
}
