import type { Endpoint } from '@cless/model';
import { InstanceConnection } from './instance-connection.ts';

/**
 * How long a free connection is kept, in milliseconds. Less than the five seconds after which many servers (Node's among
 * them) close theirs, since a request must not meet that.
 */
const FREE_MS = 4_000;
/** How much sooner than the instance says, in milliseconds: a request may be on its way when it closes. */
const MARGIN_MS = 1_000;

/** The connections to one instance. */
export class InstancePool {
  readonly #endpoint: Endpoint;
  readonly #all = new Set<InstanceConnection>();
  /** Last in, first out, so that surplus connections are not used and closed after a while. */
  readonly #free: InstanceConnection[] = [];
  /** Resolves `close`; undefined before. */
  #closed: (() => void) | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** A free connection, or a new one. */
  take(nowMs: number): InstanceConnection {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (free.isOpen && nowMs < free.freeUntilMs) return free;
      free.destroy();
    }
    return this.#open();
  }

  /**
   * Takes a connection back that can carry the next request.
   *
   * @param keepAliveSeconds how long the instance says that it keeps it; -1 if it does not say
   */
  give(connection: InstanceConnection, nowMs: number, keepAliveSeconds: number): void {
    const toldMs = keepAliveSeconds === -1 ? FREE_MS : keepAliveSeconds * 1_000 - MARGIN_MS;
    connection.free();
    if (this.#closed !== undefined || toldMs <= 0) {
      connection.destroy();
      return;
    }
    connection.freeUntilMs = nowMs + Math.min(FREE_MS, toldMs);
    this.#free.push(connection);
  }

  /** Closes those that have been free for long. */
  sweep(nowMs: number): void {
    for (const connection of this.#free.splice(0)) {
      if (nowMs < connection.freeUntilMs) this.#free.push(connection);
      else connection.destroy();
    }
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Closes the free ones, and each other one when it is given back. Resolves when all are gone. */
  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = resolve;
    for (const connection of this.#free.splice(0)) connection.destroy();
    if (this.isEmpty) resolve();
    return promise;
  }

  destroy(reason: Error): void {
    this.#free.length = 0;
    for (const connection of this.#all) connection.breakOff(reason);
  }

  // Private

  #open(): InstanceConnection {
    const connection = new InstanceConnection(this.#endpoint, this.#gone);
    this.#all.add(connection);
    return connection;
  }

  readonly #gone = (connection: InstanceConnection) => {
    this.#all.delete(connection);
    const at = this.#free.lastIndexOf(connection);
    if (at !== -1) this.#free.splice(at, 1);
    if (this.isEmpty) this.#closed?.();
  };
}
