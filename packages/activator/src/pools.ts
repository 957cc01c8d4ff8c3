import type { InstanceEvent } from './event.ts';
import type { Instance } from './instance/instance.ts';
import { chooseToEvict } from './policy/evict.ts';
import { Pool, type PoolOwner, type PoolShares } from './pool.ts';
import { keyOf, type Revision } from './revision.ts';

/** The owner of the pools. */
export interface PoolsListener<R extends Revision = Revision> {
  tell(event: InstanceEvent, revision: R, instance: string | undefined): void;
  /** Called when the runtime has created an instance, so that there is something to compare. */
  identified(): void;
  /** Called when what runs should be compared soon. */
  doubt(): void;
}

/** The pools of all revisions, and their instances by id. */
export class Pools<R extends Revision = Revision> implements PoolOwner<R> {
  readonly #shares: PoolShares<R>;
  readonly #listener: PoolsListener<R>;
  readonly #pools = new Map<string, Pool<R>>();
  /** The same by object, so that a warm request need not build a key. */
  readonly #poolOf = new WeakMap<R, Pool<R>>();
  readonly #byId = new Map<string, Instance<R>>();
  #whenEmpty: (() => void) | undefined;

  constructor(shares: PoolShares<R>, listener: PoolsListener<R>) {
    this.#shares = shares;
    this.#listener = listener;
  }

  /** The pool of the revision; creates it if there is none. */
  of(revision: R): Pool<R> {
    const key = keyOf(revision);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(revision, this.#shares, this);
      this.#pools.set(key, pool);
    }
    this.#poolOf.set(revision, pool);
    return pool;
  }

  /**
   * The pool of the revision, found by the object; may be undefined for an equal revision that has not been asked for
   * before.
   */
  known(revision: R): Pool<R> | undefined {
    return this.#poolOf.get(revision);
  }

  /** The pool of the revision; undefined if there is none. */
  find(revision: Pick<Revision, 'service' | 'id'>): Pool<R> | undefined {
    return this.#pools.get(keyOf(revision));
  }

  [Symbol.iterator](): IterableIterator<Pool<R>> {
    return this.#pools.values();
  }

  /** All instances. */
  *instances(): Generator<Instance<R>> {
    for (const pool of this) yield* pool.instances;
  }

  /** The instance with that id. */
  instance(id: string): Instance<R> | undefined {
    return this.#byId.get(id);
  }

  /** The instances that the runtime has, by id. */
  get byId(): ReadonlyMap<string, Instance<R>> {
    return this.#byId;
  }

  /** Stops an instance that is known not to be in use. Returns whether there was one. */
  evict(): boolean {
    const chosen = chooseToEvict<Instance<R>>(this.#pools.values());
    if (chosen?.maybeIdle) {
      chosen.revokeQuotas(); // a worker may be using it; this is called again when that is known
      return false;
    }
    void chosen?.stop('capacity');
    return chosen !== undefined;
  }

  /** Resolves when there are no instances any more. */
  whenEmpty(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEmpty = resolve;
    this.#checkEmpty();
    return promise;
  }

  // As the owner of pools

  changed(pool: Pool<R>): void {
    if (pool.empty) this.#forget(pool);
    this.#shares.admission.changed(pool.revision.service);
    this.#checkEmpty();
  }

  identified(instance: Instance<R>, id: string, before: string | undefined): void {
    if (before !== undefined) this.#byId.delete(before);
    this.#byId.set(id, instance);
    this.#listener.identified();
  }

  gone({ id }: Instance<R>): void {
    if (id !== undefined) this.#byId.delete(id);
  }

  doubt(): void {
    this.#listener.doubt();
  }

  tell(event: InstanceEvent, revision: R, instance: string | undefined): void {
    this.#listener.tell(event, revision, instance);
  }

  // Private

  #forget(pool: Pool<R>): void {
    const key = keyOf(pool.revision);
    // The end of an old lease may report a pool that has been replaced by now.
    if (this.#pools.get(key) === pool) this.#pools.delete(key);
  }

  #checkEmpty(): void {
    if (this.#whenEmpty !== undefined && this.instances().next().done === true) this.#whenEmpty();
  }
}
