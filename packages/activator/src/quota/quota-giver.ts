import type { Endpoint } from '@cless/model';
import type { Instance } from '../instance/instance.ts';
import type { Activation, Lease } from '../lease.ts';
import type { Revision } from '../revision.ts';
import type { Quota, QuotaUse } from './quota.ts';

/** A lease, and the quota by which its holder may give out more. */
export interface QuotaLease {
  /** Its id. */
  readonly quota: number;
  /** Leases that may be open by it at once, this one among them; Infinity means no limit. */
  readonly size: number;
  /** Does it stand for this lease (and others that were promised before), and no more? */
  readonly isDraining: boolean;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  readonly activation: Activation | undefined;
}

/** Beside the activator: the quotas that one holder has. */
export class QuotaGiver<R extends Revision = Revision> {
  readonly #quotas = new Map<number, { readonly quota: Quota; readonly instance: Instance<R> }>();
  /** Tells the holder that a quota is revoked; resolves with what it then says. Rejects if it is gone. */
  readonly #revoke: (quota: number) => Promise<QuotaUse>;

  constructor(revoke: (quota: number) => Promise<QuotaUse>) {
    this.#revoke = revoke;
  }

  /**
   * Turns a lease into the holder's, with a quota from which it gives out more.
   *
   * @param send tells the holder, at once, so that no revocation overtakes it
   */
  give(lease: Lease<Instance<R>>, send: (lease: QuotaLease) => void): void {
    const { instance, instanceId, endpoint, activation } = lease;
    const quota = instance.lend(this.#heldOf(instance), (revoked) => this.#ask(revoked));
    this.#quotas.set(quota.id, { quota, instance });
    const { id, size, isDraining } = quota;
    send({ quota: id, size, isDraining, instanceId, endpoint, activation });
    lease.release();
  }

  /** The holder is about to run out: makes the quota larger, if there is room. @returns its size */
  refill(id: number): number {
    const { quota, instance } = this.#quotas.get(id) ?? {};
    if (quota?.isHeld) instance?.refill(quota);
    return quota?.size ?? 0;
  }

  /** The holder has so many leases open by a quota that was revoked. */
  returned(id: number, use: QuotaUse): void {
    const { quota } = this.#quotas.get(id) ?? {};
    if (use.leases === 0) this.#quotas.delete(id);
    quota?.returned(use);
  }

  /** The holder is gone, and what it had open with it. */
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
