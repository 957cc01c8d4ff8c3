import type { Clock } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { Connections, ReadinessProbe, Runtime } from '../runtime.ts';

/** What all instances share. */
export interface Drive<R extends Revision = Revision> {
  readonly runtime: Runtime<R['spec']>;
  readonly probe: ReadinessProbe<R['readiness']>;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly explain: Explain<R>;
  /** Aborted at the end, after which nothing is retried. */
  readonly closing: AbortSignal;
}

/**
 * Explains why a running instance did not get ready, in terms of the instance, for its owner.
 *
 * @param error the probe's error
 * @param signal aborted when requests have waited long enough for the explanation
 */
export type Explain<R extends Revision = Revision> = (
  id: string,
  revision: R,
  error: unknown,
  signal: AbortSignal,
) => Promise<string>;
