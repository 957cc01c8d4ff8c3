import { answerOf, type Code, hasCode, knownCodeOf, messageOf, slugOf, typeOf } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Outgoing } from '../exchange/outgoing.ts';
import { sendOwnAnswer } from './own-answer.ts';
import { page, prefersHtml } from './page.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** A problem for a client (RFC 9457). Never contains a stack, a path or a container's log. */
export interface Problem {
  readonly code: Code;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** The allowed methods, if the request's is not. */
  readonly allow?: string;
}

interface Context {
  readonly service: string | undefined;
  readonly host: string | undefined;
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** The problem to answer an error with. */
export function problemOf(error: unknown, { service, host }: Context): Problem {
  const answer = answerOf(knownCodeOf(error), 'edge');
  const name = service ?? host ?? 'the service';
  if (hasCode(error, 'BACKOFF')) {
    const retryAfter = Math.max(1, Math.ceil(error.retryAfterMs / 1000));
    const detail = `The last starts of ${name} failed; the next try is due in ${retryAfter} s.`;
    return { ...answer, detail, retryAfter };
  }
  const detail = detailOf(answer.code, error, name);
  return { ...answer, detail, ...(answer.code === 'METHOD_NOT_ALLOWED' && { allow: METHODS }) };
}

/** The detail of a problem: the failure's own message if that is about the request, otherwise a general text. */
function detailOf(code: Code, error: unknown, name: string): string {
  switch (code) {
    case 'INVALID_HOST':
    case 'BAD_REQUEST':
    case 'HTTP_VERSION':
    case 'SERVICE_NOT_FOUND':
    case 'REVISION_NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
    case 'REQUEST_TIMEOUT':
    case 'BODY_TOO_LARGE':
    case 'EXPECTATION_FAILED':
    case 'TARGET_TOO_LONG':
    case 'HEADERS_TOO_LARGE':
    case 'LOOP':
    case 'ASLEEP':
      return messageOf(error);
    case 'IMAGE_NOT_FOUND':
      return `The image of ${name} is not on this host.`;
    case 'NETWORK_NOT_FOUND':
      return `A network that ${name} is to join is not there.`;
    case 'START_FAILED':
    case 'ENGINE_REFUSED':
      return startFailed(name, error);
    case 'UPSTREAM_DISCONNECTED':
      return `${name} broke the connection before it answered.`;
    case 'UPSTREAM_INVALID':
      return `${name} answered with something that is not HTTP.`;
    case 'QUEUE_FULL':
      return `Too many requests wait for ${name} already.`;
    case 'CAPACITY':
      return `There was no room to start ${name}.`;
    case 'NO_FREE_PORT':
      return `No port was free to start ${name}.`;
    case 'NO_FREE_SOCKET':
      return `The proxy has no file descriptor left for a connection to ${name}.`;
    case 'NO_ADDRESS_POOL':
      return `The engine had no addresses left for the network of ${name}.`;
    case 'DATABASE_BUSY':
      return `What ${name} is could not be read, since the database is being written.`;
    case 'ENGINE_UNREACHABLE':
      return `The runtime that starts ${name} cannot be reached.`;
    case 'SHUTTING_DOWN':
      return 'The proxy is shutting down.';
    case 'NOT_READY':
      return notReady(name, error);
    case 'UPSTREAM_TIMEOUT':
      return `${name} did not answer in time.`;
    default:
      return 'The proxy failed to handle the request.';
  }
}

function startFailed(name: string, error: unknown): string {
  const { exitCode, oomKilled } = hasCode(error, 'START_FAILED') ? error : {};
  if (oomKilled) return `${name} ran out of memory before it was ready.`;
  if (exitCode !== undefined && exitCode >= 0)
    return `${name} exited with code ${exitCode} before it was ready.`;
  return `The container of ${name} could not be started.`;
}

function notReady(name: string, error: unknown): string {
  const within = hasCode(error, 'NOT_READY') ? ` within ${error.timeoutMs / 1000} s` : '';
  return `${name} was started, but did not get ready${within}.`;
}

/**
 * Answers with a problem: JSON, or a small page if the client prefers HTML.
 *
 * @param service undefined if the request is for none
 */
export function sendProblem(
  incoming: Incoming,
  outgoing: Outgoing,
  problem: Problem,
  { service, requestId }: { readonly service: string | undefined; readonly requestId: string },
): void {
  const { status, retryAfter, allow } = problem;
  const headers: string[] = [];
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (allow !== undefined) headers.push('Allow', allow);
  const answer = prefersHtml(incoming.header('accept'))
    ? { status, contentType: 'text/html; charset=utf-8', body: page(problem, requestId) }
    : { status, contentType: PROBLEM_TYPE, body: problemJson(problem, service, requestId) };
  sendOwnAnswer(incoming, outgoing, answer, requestId, headers);
}

/** The problem as JSON of type {@link PROBLEM_TYPE}. */
export function problemJson(
  { code, title, status, detail }: Problem,
  service: string | undefined,
  requestId: string,
): string {
  const type = typeOf(slugOf(code));
  return `${JSON.stringify({ type, title, status, detail, service, requestId })}\n`;
}
