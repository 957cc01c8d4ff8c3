import type { ReadinessProbe as ActivatorProbe } from '@cless/activator';
import type { ReadinessProbe, Revision } from '@cless/model';

const ANY_STATUS = [[100, 599]] as const;

/** Extends a probe so that it can also check whether an instance accepts connections at all, whatever the status. */
export function anyAnswerToo(probe: ReadinessProbe): ActivatorProbe<Revision['readiness']> {
  return (endpoint, { anyAnswer = false, check, timeoutMs, signal }) => {
    const lenient = anyAnswer && check.kind === 'http' ? { ...check, statuses: ANY_STATUS } : check;
    return probe(endpoint, { check: lenient, timeoutMs, signal });
  };
}
