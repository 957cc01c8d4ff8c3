import { Lease, type LeaseGiver } from '@cless/activator';
import { type Clock, type Endpoint, type Revision, systemClock } from '@cless/model';
import { Router } from '@cless/router';
import type { Forwarder } from '../forward/forwarder.ts';
import { TrustedProxies } from '../headers/trusted-proxies.ts';
import type { Access } from '../observe/access.ts';
import { Meters } from '../observe/meters.ts';
import { SoleRevision } from '../services/convention.ts';
import type { ServiceSource } from '../services/source.ts';
import type { JourneyContext } from './journey.ts';
import { RetryBudget } from './retry.ts';

const REVISION: Revision = {
  service: 'web',
  id: '1',
  spec: { service: 'web', revision: '1', image: 'web', port: 80 },
  readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 0,
};

export const LIMITS = {
  maxTargetBytes: 100,
  maxHeaderCount: 10,
  maxBodyBytes: 100,
  maxHeaderBytes: 1_000,
  headersTimeoutMs: 1_000,
  keepAliveTimeoutMs: 1_000,
  bodyTimeoutMs: 1_000,
  idleTimeoutMs: 2_000,
};

const SERVED = new SoleRevision(REVISION);

/**
 * For tests: a forwarder under the test's control, and an instance that is ready, or becomes so when the test says.
 */
export class FakeContext implements JourneyContext {
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
  draining = false;
  /** Where the instance listens. */
  endpoint: Endpoint = { host: '127.0.0.1', port: 1 };
  readonly router = new Router();
  readonly meters = new Meters();
  readonly retries = new RetryBudget();
  readonly trustedProxies = new TrustedProxies([]);
  readonly clock: Clock = systemClock;
  readonly limits = LIMITS;
  readonly source: ServiceSource = {
    known: () => SERVED,
    resolve: async () => undefined,
    revision: async () => undefined,
    changed: () => {},
    refresh: () => {},
    onRetired: () => {},
    onKept: () => {},
  };
  readonly activator: LeaseGiver = {
    tryLease: () => (this.start === undefined ? this.#lease() : undefined),
    lease: async () => {
      this.waited += 1;
      await this.start; // the client may leave meanwhile
      return this.#lease();
    },
  };
  readonly forwarder: Forwarder;

  constructor(forwarder: Partial<Forwarder>) {
    this.forwarder = {
      forward: () => ({ abort: () => {} }),
      upgrade: async () => 101,
      close: async () => {},
      destroy: () => {},
      ...forwarder,
    };
  }

  readonly onAccess = (access: Access) => {
    this.accesses.push(access);
  };

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
    return new Lease(instance, 'a', this.endpoint, undefined, true);
  }
}
