import type { AddressInfo } from 'node:net';
import type { LentUse, QuotaLease, QuotaUse } from '@cless/activator';
import type { Revision } from '@cless/model';
import type { Address } from '../edge/address.ts';
import type { Snapshot } from '../observe/meters.ts';

/*
 * What the primary process and its workers say to each other. None of it is said per request that finds its instance
 * ready: for that a worker has its quotas. What goes to another process is JSON, which knows no Infinity: it is null there.
 */

type Finite<T, Field extends keyof T> = Omit<T, Field> & { readonly [F in Field]: number | null };

/** A lease, and the quota under which the worker may give out more. */
export type SentLease = Finite<QuotaLease, 'size'>;

/** How a revoked quota is used. */
export type SentUse = Finite<QuotaUse, 'idleMs'>;

/** The open requests of one instance. */
export type InstanceUse = Finite<LentUse, 'idleMs'>;

export function toSentUse<Use extends QuotaUse>(use: Use): Finite<Use, 'idleMs'> {
  return { ...use, idleMs: finite(use.idleMs) };
}

export function fromSentUse({ leases, idleMs }: SentUse): QuotaUse {
  return { leases, idleMs: orInfinity(idleMs) };
}

export function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null;
}

export function orInfinity(number: number | null): number {
  return number ?? Number.POSITIVE_INFINITY;
}

/** The calls from a worker to the primary. */
export type PrimaryMethods = {
  /** Leases an instance as soon as one is ready. Fails as the activator does. */
  lease(argument: { readonly revision: Revision; readonly keepsAwake: boolean }): SentLease;
  /** Asks to enlarge a quota that is about to run out. Answers with its size from now on; null means no limit. */
  refill(argument: { readonly quota: number }): number | null;
  /** Reports that leases of a revoked quota have ended. */
  returned(argument: { readonly quota: number } & SentUse): void;
  /** Has an instance checked that failed to answer. */
  examine(argument: { readonly instanceId: string }): void;
  /** The revision of a service by convention; null if there is none. */
  resolve(argument: { readonly service: string }): Revision | null;
};

/** The calls from the primary to a worker. */
export type WorkerMethods = {
  listen(argument: Address): AddressInfo;
  /** Revokes a quota. */
  revoke(argument: { readonly quota: number }): SentUse;
  /** Closes the pooled connections to the instance. */
  close(argument: { readonly instanceId: string }): void;
  /** Breaks off everything that is open to the instance, with this reason. */
  destroy(argument: { readonly instanceId: string; readonly reason: string }): void;
  /** Reports that a service may have changed. */
  changed(argument: { readonly service: string }): void;
  use(argument: Record<never, never>): readonly InstanceUse[];
  read(argument: Record<never, never>): Snapshot;
  /** Accepts no more connections. Answers with the last snapshot when nothing is open any more. */
  drain(argument: { readonly timeoutMs: number }): Snapshot;
};
