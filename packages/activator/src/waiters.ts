import type { Clock } from '@cless/model';
import type { Instance } from './instance/instance.ts';
import type { Activation, Lease } from './lease.ts';
import type { Revision } from './revision.ts';

interface Waiter<R extends Revision> {
  readonly sinceMs: number;
  resolve(lease: Lease<Instance<R>>): void;
  reject(error: unknown): void;
}

/** The requests that wait for an instance of one revision, in order of arrival. */
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
   * Resolves with a lease in the caller's turn; the caller is in the queue as soon as this returns. Rejects with the
   * reason if there is none, or with the signal's reason.
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
      lease.release(); // the client has left in between
      throw signal.reason;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Gives leases to waiting requests as long as an instance can be chosen. */
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

  /** Notes that the next lease of the instance has waited for its start. */
  coldStarted(instance: Instance<R>): void {
    this.#coldStarted.add(instance);
  }

  /** Notes that requests waiting now wait for its resume. */
  resumed(instance: Instance<R>): void {
    this.#coldStarted.delete(instance);
  }

  /** Fails all waiting requests. */
  fail(error: unknown): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      waiter.reject(error);
    }
  }
}
