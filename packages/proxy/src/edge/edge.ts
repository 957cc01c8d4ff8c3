import type { AddressInfo } from 'node:net';
import type { Connections, LeaseGiver } from '@cless/activator';
import type { Clock } from '@cless/model';
import type { Forwarder } from '../forward/forwarder.ts';
import type { TrustedProxies } from '../headers/trusted-proxies.ts';
import type { LaneOptions } from '../lane/parts.ts';
import type { Access } from '../observe/access.ts';
import type { Snapshot } from '../observe/meters.ts';
import type { HeadLimits } from '../request/head.ts';
import type { Router } from '../services/router.ts';
import type { ServiceSource } from '../services/source.ts';
import type { Address } from './address.ts';

/**
 * Where requests arrive, and whose connections they are forwarded on: an edge in this process, or workers with an edge
 * each.
 */
export interface Edge extends Connections {
  /** @throws the system's error, with its `code`, if it cannot listen there */
  listen(where: Address): Promise<AddressInfo>;
  /** The counters so far. */
  read(): Promise<Snapshot>;
  /** Accepts no more connections and waits for open ones, up to the timeout; then breaks them off, upgrades first. */
  drain(timeoutMs: number): Promise<void>;
}

/** The limits for clients. */
export interface EdgeLimits extends HeadLimits {
  readonly maxHeaderBytes: number;
  /** How long the head of a request may take, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** How long a connection may be idle between requests, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may be silent in the middle of a request's body, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /**
   * How long no bytes may move in the middle of an exchange, in milliseconds. Does not apply to event streams and
   * upgrades.
   */
  readonly idleTimeoutMs: number;
}

export interface EdgeOptions {
  readonly router: Router;
  readonly source: ServiceSource;
  readonly activator: LeaseGiver;
  readonly forwarder: Forwarder;
  /** Plain requests of ready instances take the lane. Undefined means that every request takes the full way. */
  readonly lane?: LaneOptions | undefined;
  readonly clock: Clock;
  readonly limits: EdgeLimits;
  readonly trustedProxies: TrustedProxies;
  /** Called once for each request, when its answer has ended. Undefined means no access log. */
  readonly onAccess: ((access: Access) => void) | undefined;
  /** Called when a connection could not be accepted. */
  readonly onError?: ((error: Error) => void) | undefined;
}
