import type { AddressInfo } from 'node:net';
import type { Activation } from '@cless/activator';
import type { Endpoint, Revision } from '@cless/model';
import type { Address } from '../edge/address.ts';
import type { Snapshot } from '../observe/meters.ts';

/*
 * What the primary process and its workers say to each other. None of it is said per request that finds its instance
 * ready: for that a worker has its grants.
 */

/** A lease, and the grant by which the worker may give out more. */
export interface GrantedLease {
  readonly grant: number;
  /** Does the grant stand for this lease (and others that were promised before), and no more? */
  readonly draining: boolean;
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  readonly activation?: Activation | undefined;
}

/** How it is with a grant that has been revoked. */
export interface GrantUse {
  /** Are there open leases? Then `returned` follows. */
  readonly open: boolean;
  /** For how long no lease has kept the instance awake; null if none did. */
  readonly idleMs: number | null;
}

/** Open requests of one instance. */
export interface InstanceUse {
  readonly instanceId: string;
  readonly leases: number;
  readonly idleMs: number | null;
}

/** What a worker asks the primary. */
export type PrimaryMethods = {
  /** A lease, as soon as there is one; fails with what the activator fails with. */
  lease(argument: { readonly revision: Revision; readonly keepsAwake: boolean }): GrantedLease;
  /** The last lease of a revoked grant has ended. */
  returned(argument: { readonly grant: number; readonly idleMs: number | null }): void;
  /** An instance failed to answer: has it looked at. */
  examine(argument: { readonly instanceId: string }): void;
  /** The revision that serves by convention; null if there is none. */
  resolve(argument: { readonly service: string }): Revision | null;
};

/** What the primary asks a worker. */
export type WorkerMethods = {
  listen(argument: Address): AddressInfo;
  /** No more leases by the grant. */
  revoke(argument: { readonly grant: number }): GrantUse;
  /** Closes the pooled connections to the instance. */
  close(argument: { readonly instanceId: string }): void;
  /** Breaks off everything that is open to the instance. */
  destroy(argument: { readonly instanceId: string; readonly reason: string }): void;
  /** What is known of the service may be otherwise now. */
  changed(argument: { readonly service: string }): void;
  use(argument: Record<never, never>): readonly InstanceUse[];
  read(argument: Record<never, never>): Snapshot;
  /** Accepts nothing new, and answers with its last snapshot when nothing is open any more. */
  drain(argument: { readonly timeoutMs: number }): Snapshot;
};
