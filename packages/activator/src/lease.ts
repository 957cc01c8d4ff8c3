import type { Endpoint } from '@cless/model';
import type { Revision } from './revision.ts';

/** How a request that had to wait got its instance. */
export interface Activation {
  readonly kind: 'cold' | 'resume';
  /** How long it waited, in milliseconds. */
  readonly durationMs: number;
}

/** Who gives out leases: the activator, or by a quota of its own a {@link QuotaHolder}. */
export interface LeaseGiver<R extends Revision = Revision> {
  /**
   * The right to send one request to an instance of the revision, if one is ready.
   *
   * @param keepsAwake does the end of the request start the idle clock anew?
   */
  tryLease(revision: R, keepsAwake?: boolean): Lease<Leasable<R>> | undefined;
  /**
   * The same, as soon as one is ready. A request that does not keep the instance awake does not wake it either.
   *
   * @param signal ends the wait; an instance that is starting goes on to start
   * @throws an error with a code, or the signal's reason
   */
  lease(revision: R, signal?: AbortSignal, keepsAwake?: boolean): Promise<Lease<Leasable<R>>>;
}

/** What leases are of: an instance, or for the holder of a quota its part of one. */
export interface Leasable<R extends Revision = Revision> {
  readonly revision: R;
  /** A lease has ended. */
  released(keptAwake: boolean): void;
  /** It failed to answer: has it looked at. No lease on it is given out meanwhile. */
  examine(): Promise<void>;
}

/**
 * The right to send one request (or one upgraded connection) to an instance; while it is held the instance is
 * not idle.
 */
export class Lease<I extends Leasable = Leasable> {
  readonly instance: I;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** Absent if the instance was ready. */
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

  /** Ends the lease; once is enough, twice does no harm. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.instance.released(this.#keepsAwake);
  }

  /** The instance failed to answer: has it looked at. No lease on it is given out meanwhile. */
  examine(): Promise<void> {
    return this.instance.examine();
  }
}
