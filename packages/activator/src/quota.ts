/** What a grant needs of its instance. */
export interface Granting {
  /** Leases are open by the grant, and no more will be. */
  grantDraining(): void;
  /**
   * No lease is open by the grant, and none will be.
   *
   * @param idleMs for how long none has kept the instance awake, as far as is known
   */
  grantEnded(grant: Grant, idleMs: number): void;
}

/**
 * The right of a worker to give out leases on an instance by itself. Whether it does is not known here, until the grant is
 * revoked: then the worker tells when none is open any more.
 */
export class Grant {
  static #count = 0;
  readonly id = ++Grant.#count;
  readonly #instance: Granting;
  /** Tells the worker. It answers with `draining` or `ended`, and after `draining` with `ended`. */
  readonly #tell: (grant: Grant) => void;
  #state: 'held' | 'revoked' | 'draining' | 'ended' = 'held';

  constructor(instance: Granting, tell: (grant: Grant) => void) {
    this.#instance = instance;
    this.#tell = tell;
  }

  /** May leases be given out by it? */
  get held(): boolean {
    return this.#state === 'held';
  }

  /** Are leases open by it, and known to be? */
  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** No more leases by it. */
  revoke(): void {
    if (this.#state !== 'held') return;
    this.#state = 'revoked';
    this.#tell(this);
  }

  /** Leases are open by it, and no more will be. */
  draining(): void {
    if (this.#state === 'draining' || this.#state === 'ended') return;
    this.#state = 'draining';
    this.#instance.grantDraining();
  }

  /** No lease is open by it, and none will be. */
  ended(idleMs: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#instance.grantEnded(this, idleMs);
  }
}
