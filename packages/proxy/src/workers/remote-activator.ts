import type { Lease, LeaseGiver } from '@cless/activator';
import type { Clock, Revision } from '@cless/model';
import type { Channel } from './channel.ts';
import { GrantedInstance, type Granter } from './granted-instance.ts';
import type { GrantedLease, GrantUse, InstanceUse, PrimaryMethods, WorkerMethods } from './protocol.ts';

/**
 * In a worker: gives out leases by the grants that it has of the primary's activator, and asks that for all others. A
 * warm request costs no message.
 */
export class RemoteActivator implements LeaseGiver {
  readonly #primary: Pick<Channel<PrimaryMethods, WorkerMethods>, 'ask' | 'call'>;
  readonly #clock: Clock;
  readonly #granted = new Map<number, GrantedInstance>();
  readonly #ofRevision = new WeakMap<Revision, GrantedInstance>();
  readonly #granter: Granter;

  constructor(primary: Pick<Channel<PrimaryMethods, WorkerMethods>, 'ask' | 'call'>, clock: Clock) {
    this.#primary = primary;
    this.#clock = clock;
    // Where the primary is gone this process is about to be, too.
    this.#granter = {
      examine: (instanceId) => primary.call('examine', { instanceId }).catch(() => {}),
      returned: (instance) => {
        this.#granted.delete(instance.grant);
        const { grant, use } = instance;
        primary.call('returned', { grant, idleMs: use.idleMs }).catch(() => {});
      },
    };
  }

  tryLease(revision: Revision, keepsAwake = true): Lease | undefined {
    const instance = this.#ofRevision.get(revision);
    return instance?.available ? instance.lease(undefined, keepsAwake) : undefined;
  }

  lease(revision: Revision, signal?: AbortSignal, keepsAwake = true): Promise<Lease> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const cancel = this.#primary.ask('lease', { revision, keepsAwake }, (error, granted?) => {
      signal?.removeEventListener('abort', leave);
      if (error !== undefined || granted === undefined) {
        reject(error);
        return;
      }
      const lease = this.#receive(revision, granted, keepsAwake);
      if (signal?.aborted) lease.release();
      else resolve(lease);
    });
    const leave = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    return promise;
  }

  /** The primary takes a grant back; one that is not known has no leases. */
  revoke(grant: number): GrantUse {
    const use = this.#granted.get(grant)?.revoke() ?? { open: false, idleMs: null };
    if (!use.open) this.#granted.delete(grant);
    return use;
  }

  /** Open leases. */
  use(): InstanceUse[] {
    return [...this.#granted.values()].map(({ use }) => use);
  }

  // Private

  #receive(revision: Revision, granted: GrantedLease, keepsAwake: boolean): Lease {
    let instance = this.#granted.get(granted.grant);
    if (instance === undefined) {
      instance = new GrantedInstance(revision, granted, this.#clock, this.#granter);
      this.#granted.set(granted.grant, instance);
    }
    if (instance.available) this.#ofRevision.set(revision, instance);
    return instance.lease(granted.activation, keepsAwake);
  }
}
