import type { Endpoint } from '@cless/model';

/** A proxy in front of instances that run already, for suites of what is sent through it. */
export interface EdgeUnderTest {
  readonly port: number;
  /** What it holds now: the file descriptors of its processes, and leases. */
  held(): Promise<{ readonly descriptors: number; readonly leases: number }>;
  close(): Promise<void>;
}

/** Options in which suites differ from the defaults. */
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

/** Starts an edge in which `NAME.test` is answered by the endpoint of that name. */
export type StartEdge = (
  endpoints: Readonly<Record<string, Endpoint>>,
  options: EdgeOptions,
) => Promise<EdgeUnderTest>;
