import type { Endpoint } from '@cless/model';
import type { Instance } from '../instance/instance.ts';
import type { Activation, Lease } from '../lease.ts';
import type { Revision } from '../revision.ts';
import type { Quota, QuotaUse } from './quota.ts';

/** A lease, and the quota under which its holder may give out more. */
export interface QuotaLease {
  /** Its id. */
  readonly quota: number;
  /** How many leases may be open under it at once, including this one; Infinity means no limit. */
  readonly size: number;
  /** Does it only cover this lease and others promised before? */
  readonly isDraining: boolean;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  readonly activation: Activation | undefined;
}

/** Beside the activator: the quotas of one holder. */
export class QuotaGiver<R extends Revision = Revision> {
  readonly #quotas = new Map<number, { readonly quota: Quota; readonly instance: Instance<R> }>();
  /** Tells the holder that a quota is revoked. Resolves with its answer; rejects if it is gone. */
  readonly #revoke: (quota: number) => Promise<QuotaUse>;

  constructor(revoke: (quota: number) => Promise<QuotaUse>) {
    this.#revoke = revoke;
  }

  /**
   * Hands a lease over to the holder, with a quota under which it may give out more.
   *
   * @param send tells the holder, synchronously, so that no revocation overtakes it
   */
  give(lease: Lease<Instance<R>>, send: (lease: QuotaLease) => void): void {
    const { instance, instanceId, endpoint, activation } = lease;
    const quota = instance.lend(this.#heldOf(instance), (revoked) => this.#ask(revoked));
    this.#quotas.set(quota.id, { quota, instance });
    const { id, size, isDraining } = quota;
    send({ quota: id, size, isDraining, instanceId, endpoint, activation });
    lease.release();
  }

  /** Enlarges a quota that is about to run out, if there is room. @returns its size */
  refill(id: number): number {
    const { quota, instance } = this.#quotas.get(id) ?? {};
    if (quota?.isHeld) instance?.refill(quota);
    return quota?.size ?? 0;
  }

  /** Called when the holder reports how many leases of a revoked quota are open. */
  returned(id: number, use: QuotaUse): void {
    const { quota } = this.#quotas.get(id) ?? {};
    if (use.leases === 0) this.#quotas.delete(id);
    quota?.returned(use);
  }

  /** Must be called when the holder is gone, with its open leases. */
  close(): void {
    for (const id of this.#quotas.keys()) this.returned(id, { leases: 0, idleMs: 0 });
  }

  // Private

  #heldOf(instance: Instance<R>): Quota | undefined {
    for (const { quota, instance: of } of this.#quotas.values())
      if (of === instance && quota.isHeld) return quota;
    return undefined;
  }

  #ask({ id }: Quota): void {
    this.#revoke(id).then(
      (use) => this.returned(id, use),
      () => this.returned(id, { leases: 0, idleMs: 0 }),
    );
  }
}
