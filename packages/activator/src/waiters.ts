import type { Clock } from '@cless/model';
import type { Instance } from './instance/instance.ts';
import type { Activation, Lease } from './lease.ts';
import type { Revision } from './revision.ts';

interface Waiter<R extends Revision> {
  readonly sinceMs: number;
  resolve(lease: Lease<Instance<R>>): void;
  reject(error: unknown): void;
}

/** The requests that wait for an instance of one revision, in the order in which they came. */
export class Waiters<R extends Revision = Revision> {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter<R>>();
  /** Instances that have not been leased since they were started. */
  readonly #coldStarted = new WeakSet<Instance<R>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves with a lease when it is the caller's turn, who waits when this returns. Rejects with why there is none, or with
   * the signal's reason.
   */
  async wait(signal: AbortSignal | undefined): Promise<Lease<Instance<R>>> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease<Instance<R>>>();
    const waiter: Waiter<R> = { sinceMs: this.#clock.now(), resolve, reject };
    const leave = () => {
      this.#waiting.delete(waiter);
      reject(signal?.reason);
    };
    this.#waiting.add(waiter);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const lease = await promise;
      if (signal?.aborted !== true) return lease;
      lease.release(); // the client left in the moment between
      throw signal.reason;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Gives leases to those that wait, as long as an instance can be chosen. */
  serve(choose: () => Instance<R> | undefined): void {
    const nowMs = this.#clock.now();
    const cold = new Set<Instance<R>>();
    for (const waiter of this.#waiting) {
      const instance = choose();
      if (instance === undefined) return;
      if (this.#coldStarted.delete(instance)) cold.add(instance);
      const kind: Activation['kind'] = cold.has(instance) ? 'cold' : 'resume';
      this.#waiting.delete(waiter);
      waiter.resolve(instance.lease({ kind, durationMs: nowMs - waiter.sinceMs }));
    }
  }

  /** Whoever is served by it next has waited for its start. */
  coldStarted(instance: Instance<R>): void {
    this.#coldStarted.add(instance);
  }

  /** Whoever waits now waits for its resume. */
  resumed(instance: Instance<R>): void {
    this.#coldStarted.delete(instance);
  }

  /** None gets a lease. */
  fail(error: unknown): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      waiter.reject(error);
    }
  }
}
