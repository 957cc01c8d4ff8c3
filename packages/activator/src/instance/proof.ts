import { type Clock, type Endpoint, hasCode } from '@cless/model';
import { rest } from '../rest.ts';
import type { Revision } from '../revision.ts';
import type { ReadinessProbe } from '../runtime.ts';

/** How an instance is, as the runtime has it just now. `settled`: whatever it is, it is not in question any more. */
export type Look = 'running' | 'nowhere' | 'unknown' | 'settled';

/**
 * `unreachable`: it runs, and takes no connection; `nowhere`: it runs, and has no address; `unknown`: it takes no connection,
 * and the runtime does not say how it is.
 */
export type Finding = 'answers' | 'unreachable' | 'nowhere' | 'unknown' | 'settled';

export interface ProofOptions<Readiness extends Revision['readiness']> {
  /** Asks the runtime. */
  readonly look: () => Promise<Look>;
  /** Where it was last. */
  readonly endpoint: () => Endpoint | undefined;
  /** How it was found ready. */
  readonly readiness: Readiness;
  readonly probe: ReadinessProbe<Readiness>;
  readonly clock: Clock;
  /** Called each time that it took no connection. */
  readonly refused: () => void;
  readonly signal: AbortSignal;
}

/** How long an instance that runs may refuse connections, in milliseconds: some apps restart within their container. */
const UNREACHABLE_AFTER_MS = 3_000;
/** How long to try before the runtime is asked again, in milliseconds. */
const ROUND_MS = 250;

/**
 * Finds out whether an instance that failed to answer takes connections. What is slow is not replaced: only a connection
 * that is refused, or closed without an answer, speaks against it; silence, and an answer of any kind, speak for it.
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
    // A single attempt took all the time: nobody refused it, its queue of connections may be full.
    return hasCode(error, 'NOT_READY') && error.attempts === 1;
  }
}
