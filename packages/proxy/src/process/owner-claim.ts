import { type Clock, hasCode, type Timer } from '@cless/model';

/** Binds an owner to this state directory; fails with code `OWNER_TAKEN` if it is bound to another one. */
export interface Owned {
  hold(): Promise<void>;
}

export interface OwnerClaimOptions {
  readonly runtime: Owned;
  readonly clock: Clock;
  /** Called once, if the owner turns out to belong to another state directory after all. */
  readonly onTaken: (error: unknown) => void;
}

/**
 * How long the start waits for an engine that does not answer, in milliseconds. After that, it is asked in the
 * background.
 */
const PATIENCE_MS = 3_000;
/** How often to check, in milliseconds: the record in the engine may be pruned, or the owner taken over. */
const INTERVAL_MS = 30_000;
const RETRY_MS = 2_000;

/** Keeps an owner bound to this state directory while the proxy runs. */
export class OwnerClaim {
  readonly #options: OwnerClaimOptions;
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(options: OwnerClaimOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the owner is ours, or when the engine does not answer: until it does, the runtime does nothing.
   *
   * @throws with code `OWNER_TAKEN`
   */
  static async make(options: OwnerClaimOptions): Promise<OwnerClaim> {
    const claim = new OwnerClaim(options);
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const patience = options.clock.after(PATIENCE_MS, resolve);
    const asking = claim.#ask();
    try {
      await Promise.race([asking, enough]);
    } catch (error) {
      claim.close();
      throw error;
    } finally {
      patience.cancel();
    }
    asking.catch(options.onTaken); // the start has gone on already
    return claim;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  // Private

  /** @throws with code `OWNER_TAKEN` */
  async #ask(): Promise<void> {
    const { runtime, clock, onTaken } = this.#options;
    let nextMs = INTERVAL_MS;
    try {
      await runtime.hold();
    } catch (error) {
      if (hasCode(error, 'OWNER_TAKEN')) throw error;
      nextMs = RETRY_MS; // the engine does not answer, which is reported elsewhere
    }
    if (!this.#isClosed) this.#timer = clock.after(nextMs, () => void this.#ask().catch(onTaken));
  }
}
