import type { Endpoint, Revision } from '@cless/model';

/** How a request that had to wait got its instance. */
export interface Activation {
  readonly kind: 'cold' | 'resume';
  /** How long it waited, in milliseconds. */
  readonly durationMs: number;
}

/** Who gives out leases: the activator, or in a worker what holds its grants. */
export interface LeaseGiver {
  /**
   * The right to send one request to an instance of the revision, if one is ready.
   *
   * @param keepsAwake does the end of the request start the idle clock anew?
   */
  tryLease(revision: Revision, keepsAwake?: boolean): Lease | undefined;
  /**
   * The same, as soon as one is ready. A request that does not keep the instance awake does not wake it either.
   *
   * @param signal ends the wait; an instance that is starting goes on to start
   * @throws an error with a code that `problem.ts` knows, or the signal's reason
   */
  lease(revision: Revision, signal?: AbortSignal, keepsAwake?: boolean): Promise<Lease>;
}

/** What a lease needs of its instance. */
export interface Leased {
  readonly revision: { readonly responseTimeoutMs?: number | undefined };
  released(keptAwake: boolean): void;
  examine(): Promise<void>;
}

/**
 * The right to send one request (or one upgraded connection) to an instance; while it is held the instance is
 * not idle.
 */
export class Lease<Instance extends Leased = Leased> {
  readonly instance: Instance;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** Absent if the instance was ready. */
  readonly activation: Activation | undefined;
  readonly #keepsAwake: boolean;
  #held = true;

  constructor(
    instance: Instance,
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
