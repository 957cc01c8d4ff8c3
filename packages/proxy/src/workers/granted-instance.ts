import { type Activation, Lease, type Leased, Usage } from '@cless/activator';
import type { Clock, Endpoint, Revision } from '@cless/model';
import type { GrantedLease, GrantUse, InstanceUse } from './protocol.ts';

/** What a granted instance needs of the primary. */
export interface Granter {
  examine(instanceId: string): Promise<void>;
  /** The last lease of the grant has ended, and it is good for no more. */
  returned(instance: GrantedInstance): void;
}

/** In a worker: an instance on which it may give out leases by itself, until the primary revokes that. */
export class GrantedInstance implements Leased {
  readonly revision: Revision;
  readonly grant: number;
  readonly instanceId: string;
  readonly #endpoint: Endpoint;
  readonly #primary: Granter;
  readonly #usage: Usage;
  #revoked: boolean;
  #examination: Promise<void> | undefined;

  constructor(
    revision: Revision,
    { grant, draining, instanceId, endpoint }: GrantedLease,
    clock: Clock,
    primary: Granter,
  ) {
    this.revision = revision;
    this.grant = grant;
    this.instanceId = instanceId;
    this.#endpoint = endpoint;
    this.#primary = primary;
    this.#usage = new Usage(clock, Number.NEGATIVE_INFINITY);
    this.#revoked = draining;
  }

  /** May leases be given out? */
  get available(): boolean {
    return !this.#revoked && this.#examination === undefined;
  }

  get use(): GrantUse & InstanceUse {
    const { leases, idleMs } = this.#usage;
    return {
      instanceId: this.instanceId,
      leases,
      open: leases > 0,
      idleMs: Number.isFinite(idleMs) ? idleMs : null,
    };
  }

  /** Gives out a lease; only while `available`, or if it was promised before. */
  lease(activation: Activation | undefined, keepsAwake: boolean): Lease<GrantedInstance> {
    this.#usage.begin(keepsAwake);
    return new Lease(this, this.instanceId, this.#endpoint, activation, keepsAwake);
  }

  released(keptAwake: boolean): void {
    this.#usage.end(keptAwake);
    if (this.#revoked && this.#usage.leases === 0) this.#primary.returned(this);
  }

  /** Gives out no more leases; the end of the last one that is open is told. */
  revoke(): GrantUse {
    this.#revoked = true;
    return this.use;
  }

  examine(): Promise<void> {
    this.#examination ??= this.#primary.examine(this.instanceId).finally(() => {
      this.#examination = undefined;
    });
    return this.#examination;
  }
}
