import type { Endpoint } from '@cless/model';

/** A proxy in front of instances that are there already, as suites of what is sent through it need one. */
export interface EdgeUnderTest {
  readonly port: number;
  /** What it holds now: file descriptors of its processes, and leases. */
  held(): Promise<{ readonly descriptors: number; readonly leases: number }>;
  close(): Promise<void>;
}

/** What suites want of it otherwise than it is by default. */
export interface EdgeOptions {
  readonly responseTimeoutMs: number;
  readonly maxBodyBytes?: number;
  readonly trustedProxies?: readonly string[];
  readonly bodyTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  readonly drainTimeoutMs?: number;
}

/** Starts one: `NAME.test` is answered by the endpoint of that name. */
export type StartEdge = (
  endpoints: Readonly<Record<string, Endpoint>>,
  options: EdgeOptions,
) => Promise<EdgeUnderTest>;
