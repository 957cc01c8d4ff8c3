import type { EdgeLimits } from './http1.ts';

/** What clients may do where nobody has said otherwise; the settings have the same. */
export const DEFAULT_LIMITS: EdgeLimits = {
  maxTargetBytes: 8_192,
  maxHeaderBytes: 16_384,
  maxHeaderCount: 200,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  headersTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  bodyTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
};
