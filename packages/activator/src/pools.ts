import type { InstanceEvent } from './event.ts';
import type { Instance } from './instance/instance.ts';
import { chooseToEvict } from './policy/evict.ts';
import { Pool, type PoolOwner, type PoolShares } from './pool.ts';
import { keyOf, type Revision } from './revision.ts';

/** Who has the pools. */
export interface PoolsListener<R extends Revision = Revision> {
  tell(event: InstanceEvent, revision: R, instance: string | undefined): void;
  /** The runtime has made an instance: now there is something to compare. */
  identified(): void;
  /** What is really there should be looked at soon. */
  doubt(): void;
}

/** The pools of all revisions, and their instances by id. */
export class Pools<R extends Revision = Revision> implements PoolOwner<R> {
  readonly #shares: PoolShares<R>;
  readonly #listener: PoolsListener<R>;
  readonly #pools = new Map<string, Pool<R>>();
  /** The same by object: the way of each warm request, without making a key. */
  readonly #poolOf = new WeakMap<R, Pool<R>>();
  readonly #byId = new Map<string, Instance<R>>();
  #whenEmpty: (() => void) | undefined;

  constructor(shares: PoolShares<R>, listener: PoolsListener<R>) {
    this.#shares = shares;
    this.#listener = listener;
  }

  /** The pool of the revision, which is made if there is none. */
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

  /** The pool of the revision, if there is one: by the object, so that one that was not asked for before may be missed. */
  known(revision: R): Pool<R> | undefined {
    return this.#poolOf.get(revision);
  }

  /** The pool of the revision, if there is one. */
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

  /** The instance of that id. */
  instance(id: string): Instance<R> | undefined {
    return this.#byId.get(id);
  }

  /** Those that the runtime has, by id. */
  get byId(): ReadonlyMap<string, Instance<R>> {
    return this.#byId;
  }

  /** Stops an instance that is not in use, if there is one that is known not to be; says whether it does. */
  evict(): boolean {
    const chosen = chooseToEvict<Instance<R>>(this.#pools.values());
    if (chosen?.maybeIdle) {
      chosen.revokeQuotas(); // it may have been in use since; with the answer this is called again
      return false;
    }
    void chosen?.stop('capacity');
    return chosen !== undefined;
  }

  /** Resolves when no instance is there any more. */
  whenEmpty(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEmpty = resolve;
    this.#checkEmpty();
    return promise;
  }

  // As the owner of pools

  changed(pool: Pool<R>): void {
    const key = keyOf(pool.revision);
    // The end of an old lease may tell of a pool in whose place there is another one by now.
    if (pool.empty && this.#pools.get(key) === pool) this.#pools.delete(key);
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

  #checkEmpty(): void {
    if (this.#whenEmpty !== undefined && this.instances().next().done === true) this.#whenEmpty();
  }
}
