import { type Code, hasCode } from '@cless/model';
import { sendOwnAnswer } from '../answer/own-answer.ts';
import { sendProblem } from '../answer/problem.ts';
import type { Incoming } from '../exchange/incoming.ts';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { Choice } from '../services/source.ts';
import type { RequestRecord } from './record.ts';

/** Failures after which it is uncertain where the request ends, or what it is. */
const ENDS_CONNECTION: readonly Code[] = [
  'BAD_REQUEST',
  'INVALID_HOST',
  'HTTP_VERSION',
  'EXPECTATION_FAILED',
  'METHOD_NOT_ALLOWED', // TRACE, which must not have a body
  'TARGET_TOO_LONG',
  'HEADERS_TOO_LARGE',
  'BODY_TOO_LARGE',
  'REQUEST_TIMEOUT',
];

/**
 * Answers with the problem for the error, or with the service's fixed answer while it sleeps.
 *
 * @param choice undefined if no revision has been chosen yet
 */
export function refuse(
  incoming: Incoming,
  outgoing: Outgoing,
  error: unknown,
  {
    record,
    choice,
    draining,
  }: { readonly record: RequestRecord; readonly choice: Choice | undefined; readonly draining: boolean },
): void {
  const unread = !incoming.complete;
  if (unread || draining || hasCode(error, ...ENDS_CONNECTION)) outgoing.closeAfterwards();
  const { service, requestId } = record;
  const { whileAsleep = 'problem' } = choice ?? {};
  if (hasCode(error, 'ASLEEP') && whileAsleep !== 'problem')
    sendOwnAnswer(incoming, outgoing, whileAsleep, requestId);
  else sendProblem(incoming, outgoing, record.problem(error), { service, requestId });
  if (unread) incoming.discardBody();
}
