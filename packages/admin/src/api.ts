import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Deployer } from './deploy/deployer.ts';
import type { Platform, Store } from './platform.ts';
import type { Problem } from './schemas.ts';

/** What the routes of each part of the API work with. */
export interface Api {
  readonly app: OpenAPIHono;
  readonly store: Store;
  readonly platform: Platform;
  readonly deployer: Deployer;
  /** Aborted when the API closes: streams end, and no deploy is begun. */
  readonly closing: AbortSignal;
  /** The problem to answer an error with. Reports the error to the operator if it is one for them. */
  readonly problemOf: (error: unknown) => Problem;
}

/**
 * How often a stream that has nothing to say sends something, in milliseconds: load balancers and the like close a
 * connection that is silent for long.
 */
export const HEARTBEAT_MS = 15_000;
