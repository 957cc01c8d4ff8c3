import type { Clock } from '@cless/model';
import type { Lease, LeaseGiver } from '../lease.ts';
import { choose } from '../policy/choose.ts';
import { maxScale } from '../policy/scale.ts';
import { keyOf, type Revision } from '../revision.ts';
import { type LentBy, LentInstance } from './lent-instance.ts';
import type { QuotaUse } from './quota.ts';
import type { QuotaLease } from './quota-giver.ts';

/** The calls from a holder of quotas to the giver. Calls and answers must stay in order. */
export interface QuotaSource<R extends Revision = Revision> {
  /**
   * Asks for a lease. The callback is always called, also after `cancel`.
   *
   * @returns a function that cancels the call
   */
  lease(
    revision: R,
    keepsAwake: boolean,
    onAnswer: (...answer: [error: undefined, lease: QuotaLease] | [error: Error]) => void,
  ): () => void;
  /** Asks to enlarge a quota; called back with its size. */
  refill(quota: number, onAnswer: (size: number) => void): void;
  /** Reports how many leases of a revoked quota are open. */
  returned(quota: number, use: QuotaUse): void;
  /** Has an instance checked. */
  examine(instanceId: string): Promise<void>;
}

/** The open leases of one instance. */
export interface LentUse extends QuotaUse {
  readonly instanceId: string;
}

/**
 * Gives out leases under its quotas, in another process than the activator or beside it, and asks for all others. A
 * lease of a ready instance costs no message.
 */
export class QuotaHolder<R extends Revision = Revision> implements LeaseGiver<R> {
  readonly #source: QuotaSource<R>;
  readonly #clock: Clock;
  readonly #lent = new Map<number, LentInstance<R>>();
  /** The instances that may give out leases, by revision. */
  readonly #ofKey = new Map<string, Set<LentInstance<R>>>();
  /** The same by object, so that a warm request need not build a key. */
  readonly #ofRevision = new WeakMap<R, Set<LentInstance<R>>>();
  readonly #lentBy: LentBy;

  constructor(source: QuotaSource<R>, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#lentBy = {
      examine: (instanceId) => source.examine(instanceId),
      isLow: ({ quota }) => {
        source.refill(quota, (size) => this.#lent.get(quota)?.resize(size));
      },
      returned: ({ quota, use }) => {
        if (use.leases === 0) this.#drop(quota);
        source.returned(quota, use);
      },
    };
  }

  tryLease(revision: R, keepsAwake = true): Lease<LentInstance<R>> | undefined {
    const instances = this.#ofRevision.get(revision);
    const chosen = instances && choose(instances);
    // There may be other instances that this holder does not know.
    if (maxScale(revision) > 1 && chosen?.isSuspect) return undefined;
    return chosen?.lease(undefined, keepsAwake);
  }

  lease(revision: R, signal?: AbortSignal, keepsAwake = true): Promise<Lease<LentInstance<R>>> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease<LentInstance<R>>>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const cancel = this.#source.lease(revision, keepsAwake, (error, given?) => {
      signal?.removeEventListener('abort', leave);
      if (error !== undefined || given === undefined) {
        reject(error);
        return;
      }
      const lease = this.#receive(revision, given, keepsAwake);
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

  /** Called when a quota is revoked. An unknown one has no leases. */
  revoke(quota: number): QuotaUse {
    const use = this.#lent.get(quota)?.revoke() ?? { leases: 0, idleMs: Number.POSITIVE_INFINITY };
    this.#forget(quota);
    if (use.leases === 0) this.#lent.delete(quota);
    return use;
  }

  /** How the instances are used under its quotas. */
  use(): LentUse[] {
    return [...this.#lent.values()].map(({ instanceId, use }) => ({ instanceId, ...use }));
  }

  // Private

  #receive(revision: R, given: QuotaLease, keepsAwake: boolean): Lease<LentInstance<R>> {
    let instance = this.#lent.get(given.quota);
    if (instance === undefined) {
      instance = new LentInstance(revision, given, this.#clock, this.#lentBy);
      this.#lent.set(given.quota, instance);
    }
    if (!instance.isRevoked) this.#remember(revision, instance);
    instance.resize(given.size);
    return instance.lease(given.activation, keepsAwake);
  }

  #remember(revision: R, instance: LentInstance<R>): void {
    const key = keyOf(revision);
    const instances = this.#ofKey.get(key) ?? new Set();
    this.#ofKey.set(key, instances.add(instance));
    this.#ofRevision.set(revision, instances);
  }

  /** Gives out no more leases under it. */
  #forget(quota: number): void {
    const instance = this.#lent.get(quota);
    if (instance === undefined) return;
    const key = keyOf(instance.revision);
    const instances = this.#ofKey.get(key);
    instances?.delete(instance);
    if (instances?.size === 0) this.#ofKey.delete(key);
  }

  #drop(quota: number): void {
    this.#forget(quota);
    this.#lent.delete(quota);
  }
}
