import type { Clock } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { Connections, ReadinessProbe, Runtime } from '../runtime.ts';

/** What instances are driven with: the same for all. */
export interface Drive<R extends Revision = Revision> {
  readonly runtime: Runtime<R['spec']>;
  readonly probe: ReadinessProbe<R['readiness']>;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly explain: Explain<R>;
  /** Aborted when no more is to be tried again, since all of it ends. */
  readonly closing: AbortSignal;
}

/**
 * Says why an instance that runs did not get ready, in terms of the instance, for its owner.
 *
 * @param error what the probe said
 * @param signal when requests have waited long enough for that
 */
export type Explain<R extends Revision = Revision> = (
  id: string,
  revision: R,
  error: unknown,
  signal: AbortSignal,
) => Promise<string>;
