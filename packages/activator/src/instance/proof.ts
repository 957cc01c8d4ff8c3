import { type Clock, type Endpoint, hasCode } from '@cless/model';
import { rest } from '../rest.ts';
import type { Revision } from '../revision.ts';
import type { ReadinessProbe } from '../runtime.ts';

/** The state of an instance according to the runtime. `settled`: the question has been decided otherwise. */
export type Look = 'running' | 'nowhere' | 'unknown' | 'settled';

/**
 * `unreachable`: it runs but accepts no connections; `nowhere`: it runs but has no address; `unknown`: it accepts no
 * connections and the runtime does not answer.
 */
export type Finding = 'answers' | 'unreachable' | 'nowhere' | 'unknown' | 'settled';

export interface ProofOptions<Readiness extends Revision['readiness']> {
  /** Asks the runtime. */
  readonly look: () => Promise<Look>;
  /** Its last known endpoint. */
  readonly endpoint: () => Endpoint | undefined;
  /** Its readiness check. */
  readonly readiness: Readiness;
  readonly probe: ReadinessProbe<Readiness>;
  readonly clock: Clock;
  /** Called each time a connection is refused. */
  readonly refused: () => void;
  readonly signal: AbortSignal;
}

/** How long a running instance may refuse connections, in milliseconds; some apps restart within their container. */
const UNREACHABLE_AFTER_MS = 3_000;
/** How long to try between two questions to the runtime, in milliseconds. */
const ROUND_MS = 250;

/**
 * Finds out whether an instance that failed to answer accepts connections. A slow instance must not be replaced, so
 * only connections that are refused or closed without an answer count against it; silence and any answer count for
 * it.
 */
export async function prove<Readiness extends Revision['readiness']>({
  look,
  endpoint,
  readiness,
  probe,
  clock,
  refused,
  signal,
}: ProofOptions<Readiness>): Promise<Finding> {
  const untilMs = clock.now() + UNREACHABLE_AFTER_MS;
  for (;;) {
    const found = await look();
    if (found === 'settled') return 'settled';
    const at = endpoint();
    if (found === 'nowhere' || at === undefined) await rest(clock, ROUND_MS, signal);
    else if (await takesConnections(at, readiness, probe, signal)) return 'answers';
    if (signal.aborted) return 'settled';
    refused();
    if (clock.now() >= untilMs) return found === 'running' ? 'unreachable' : found;
  }
}

async function takesConnections<Readiness extends Revision['readiness']>(
  endpoint: Endpoint,
  readiness: Readiness,
  probe: ReadinessProbe<Readiness>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await probe(endpoint, { ...readiness, timeoutMs: ROUND_MS, anyAnswer: true, signal });
    return true;
  } catch (error) {
    // A single attempt took the whole time, so it was not refused; the accept queue may be full.
    return hasCode(error, 'NOT_READY') && error.attempts === 1;
  }
}
