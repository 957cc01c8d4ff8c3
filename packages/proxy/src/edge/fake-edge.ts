import { Lease } from '@cless/activator';
import { type Revision, systemClock } from '@cless/model';
import { Router } from '@cless/router';
import type { Forwarder } from '../forward/forwarder.ts';
import { TrustedProxies } from '../headers/trusted-proxies.ts';
import type { Access } from '../observe/access.ts';
import { SoleRevision } from '../services/convention.ts';
import { Http1Edge } from './http1.ts';

const REVISION: Revision = {
  service: 'web',
  id: '1',
  spec: { service: 'web', revision: '1', image: 'web', port: 80 },
  readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 0,
};

/**
 * For tests: an edge with a forwarder under the test's control, and an instance that is ready, or becomes so when the
 * test says.
 */
export class FakeEdge {
  readonly accesses: Access[] = [];
  /** How often the instance was examined. */
  examined = 0;
  /** How many leases are open. */
  open = 0;
  /** How many requests have waited for a lease. */
  waited = 0;
  /** While this is set, the instance is not ready. */
  start: Promise<void> | undefined;
  /** While this is set, an examination is going on. */
  examination: Promise<void> | undefined;
  port = 0;
  readonly #edge: Http1Edge;

  private constructor(forwarder: Partial<Forwarder>) {
    this.#edge = new Http1Edge({
      router: new Router(),
      source: {
        known: () => new SoleRevision(REVISION),
        resolve: async () => undefined,
        revision: async () => undefined,
        changed: () => {},
        refresh: () => {},
        onRetired: () => {},
        onKept: () => {},
      },
      activator: {
        tryLease: () => (this.start === undefined ? this.#lease() : undefined),
        lease: async () => {
          this.waited += 1;
          await this.start;
          return this.#lease();
        },
      },
      forwarder: {
        forward: () => ({ abort: () => {} }),
        upgrade: async () => 101,
        close: async () => {},
        destroy: () => {},
        ...forwarder,
      },
      clock: systemClock,
      limits: {
        maxTargetBytes: 100,
        maxHeaderCount: 10,
        maxBodyBytes: 100,
        maxHeaderBytes: 1_000,
        headersTimeoutMs: 1_000,
        keepAliveTimeoutMs: 1_000,
        bodyTimeoutMs: 1_000,
        idleTimeoutMs: 1_000,
      },
      trustedProxies: new TrustedProxies([]),
      onAccess: (access) => this.accesses.push(access),
    });
  }

  static async start(forwarder: Partial<Forwarder>): Promise<FakeEdge> {
    const edge = new FakeEdge(forwarder);
    ({ port: edge.port } = await edge.#edge.listen({ host: '127.0.0.1', port: 0 }));
    return edge;
  }

  /** @param timeoutMs how long open requests may take */
  close(timeoutMs = 0): Promise<void> {
    return this.#edge.drain(timeoutMs);
  }

  // Private

  #lease(): Lease {
    this.open += 1;
    const instance = {
      revision: REVISION,
      released: () => {
        this.open -= 1;
      },
      examine: async () => {
        this.examined += 1;
        await this.examination;
      },
    };
    return new Lease(instance, 'a', { host: '127.0.0.1', port: 1 }, undefined, true);
  }
}
