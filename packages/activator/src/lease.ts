import type { Endpoint } from '@cless/model';
import type { Revision } from './revision.ts';

/** How a waiting request got its instance. */
export interface Activation {
  readonly kind: 'cold' | 'resume';
  /** How long it waited, in milliseconds. */
  readonly durationMs: number;
}

/** Gives out leases: the activator, or under its quotas a {@link QuotaHolder}. */
export interface LeaseGiver<R extends Revision = Revision> {
  /**
   * Leases an instance of the revision if one is ready; undefined otherwise.
   *
   * @param keepsAwake does the end of the request restart the idle clock?
   */
  tryLease(revision: R, keepsAwake?: boolean): Lease<Leasable<R>> | undefined;
  /**
   * Leases an instance as soon as one is ready. A request that does not keep the instance awake does not wake it
   * either.
   *
   * @param signal ends the wait; an instance that is starting continues to start
   * @throws an error with a code, or the signal's reason
   */
  lease(revision: R, signal?: AbortSignal, keepsAwake?: boolean): Promise<Lease<Leasable<R>>>;
}

/** What a lease is of: an instance or, for the holder of a quota, its part of one. */
export interface Leasable<R extends Revision = Revision> {
  readonly revision: R;
  /** Called when a lease ends. */
  released(keptAwake: boolean): void;
  /** Has the instance checked after it failed to answer. No lease on it is given out meanwhile. */
  examine(): Promise<void>;
}

/**
 * The right to send one request (or one upgraded connection) to an instance. While it is held, the instance is not
 * idle.
 */
export class Lease<I extends Leasable = Leasable> {
  readonly instance: I;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** Undefined if the instance was ready. */
  readonly activation: Activation | undefined;
  readonly #keepsAwake: boolean;
  #held = true;

  constructor(
    instance: I,
    instanceId: string,
    endpoint: Endpoint,
    activation: Activation | undefined,
    keepsAwake: boolean,
  ) {
    this.instance = instance;
    this.instanceId = instanceId;
    this.endpoint = endpoint;
    this.activation = activation;
    this.#keepsAwake = keepsAwake;
  }

  get responseTimeoutMs(): number | undefined {
    return this.instance.revision.responseTimeoutMs;
  }

  /** Ends the lease. Further calls have no effect. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.instance.released(this.#keepsAwake);
  }

  /** Has the instance checked after it failed to answer. No lease on it is given out meanwhile. */
  examine(): Promise<void> {
    return this.instance.examine();
  }
}
