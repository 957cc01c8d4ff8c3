import type { Clock, Endpoint } from '@cless/model';
import { Suspicion } from '../instance/suspicion.ts';
import { Usage } from '../instance/usage.ts';
import { type Activation, type Leasable, Lease } from '../lease.ts';
import type { Choosable } from '../policy/choose.ts';
import type { Revision } from '../revision.ts';
import type { QuotaUse } from './quota.ts';
import type { QuotaLease } from './quota-giver.ts';

/** What a lent instance needs from the holder of its quota. */
export interface LentBy {
  /** Has the instance checked. */
  examine(instanceId: string): Promise<void>;
  /** Called when the quota is about to run out. */
  isLow(instance: LentInstance): void;
  /** Called when a lease of a revoked quota has ended. */
  returned(instance: LentInstance): void;
}

/** The share of a quota left when more is requested. */
const LOW = 1 / 4;

/**
 * An instance of which the holder of a quota gives out leases by itself, as many at once as the quota allows, until
 * it is revoked.
 */
export class LentInstance<R extends Revision = Revision> implements Leasable<R>, Choosable {
  readonly revision: R;
  readonly quota: number;
  readonly instanceId: string;
  readonly #endpoint: Endpoint;
  readonly #from: LentBy;
  readonly #usage: Usage;
  readonly #suspicion: Suspicion;
  #size: number;
  #isRevoked: boolean;
  #hasAsked = false;
  #examination: Promise<void> | undefined;

  constructor(
    revision: R,
    { quota, size, isDraining, instanceId, endpoint }: QuotaLease,
    clock: Clock,
    from: LentBy,
  ) {
    this.revision = revision;
    this.quota = quota;
    this.instanceId = instanceId;
    this.#endpoint = endpoint;
    this.#from = from;
    this.#usage = new Usage(clock, Number.NEGATIVE_INFINITY);
    this.#suspicion = new Suspicion(clock);
    this.#size = size;
    this.#isRevoked = isDraining;
  }

  get available(): boolean {
    return !this.#isRevoked && this.#examination === undefined && this.#usage.leases < this.#size;
  }

  get isSuspect(): boolean {
    return this.#suspicion.isFresh;
  }

  get load(): number {
    return this.#usage.leases;
  }

  /** May no more leases be given out? */
  get isRevoked(): boolean {
    return this.#isRevoked;
  }

  get use(): QuotaUse {
    const { leases, idleMs } = this.#usage;
    return { leases, idleMs };
  }

  /** Gives out a lease. Call only while `available`, or if the lease was promised before. */
  lease(activation: Activation | undefined, keepsAwake: boolean): Lease<LentInstance<R>> {
    this.#usage.begin(keepsAwake);
    this.#askIfLow();
    return new Lease(this, this.instanceId, this.#endpoint, activation, keepsAwake);
  }

  released(keptAwake: boolean): void {
    this.#usage.end(keptAwake);
    if (this.#isRevoked) {
      // With a limit, others may be waiting for each of them.
      if (this.#usage.leases === 0 || this.#size !== Number.POSITIVE_INFINITY) this.#from.returned(this);
    } else if (!this.#isLow) this.#hasAsked = false;
  }

  /** Sets how many leases may be open at once. */
  resize(size: number): void {
    if (this.#isRevoked || size === this.#size) return;
    this.#size = size;
    this.#hasAsked = false;
  }

  /** Gives out no more leases. The ends of open ones are reported. */
  revoke(): QuotaUse {
    this.#isRevoked = true;
    return this.use;
  }

  examine(): Promise<void> {
    this.#suspicion.begin();
    this.#examination ??= this.#from.examine(this.instanceId).finally(() => {
      this.#examination = undefined;
    });
    return this.#examination;
  }

  // Private

  get #isLow(): boolean {
    return this.#usage.leases >= this.#size * (1 - LOW);
  }

  #askIfLow(): void {
    if (this.#hasAsked || this.#isRevoked || !this.#isLow) return;
    this.#hasAsked = true;
    this.#from.isLow(this);
  }
}
