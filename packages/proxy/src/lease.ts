import type { Endpoint, Target } from './contracts.ts';

/** How a request that had to wait got its instance. */
export interface Activation {
  readonly kind: 'cold' | 'resume';
  /** How long it waited, in milliseconds. */
  readonly durationMs: number;
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
export class Lease implements Target {
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** Absent if the instance was ready. */
  readonly activation: Activation | undefined;
  readonly #instance: Leased;
  readonly #keepsAwake: boolean;
  #held = true;

  constructor(
    instance: Leased,
    instanceId: string,
    endpoint: Endpoint,
    activation: Activation | undefined,
    keepsAwake: boolean,
  ) {
    this.#instance = instance;
    this.instanceId = instanceId;
    this.endpoint = endpoint;
    this.activation = activation;
    this.#keepsAwake = keepsAwake;
  }

  get responseTimeoutMs(): number | undefined {
    return this.#instance.revision.responseTimeoutMs;
  }

  /** Ends the lease; once is enough, twice does no harm. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#instance.released(this.#keepsAwake);
  }

  /** The instance failed to answer: has it looked at. No lease on it is given out meanwhile. */
  examine(): Promise<void> {
    return this.#instance.examine();
  }
}
