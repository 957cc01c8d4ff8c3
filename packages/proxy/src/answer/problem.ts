import { codeOf } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Outgoing } from '../exchange/outgoing.ts';
import { sendOwnAnswer } from './own-answer.ts';
import { page, prefersHtml } from './page.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** What a client is told (RFC 9457): never a stack, a path or a container's log. */
export interface Problem {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** The methods that there are, if this was none. */
  readonly allow?: string;
}

interface Context {
  readonly service: string | undefined;
  readonly host: string | undefined;
}

type Describe = (error: Error, context: Context) => Problem;

const describe =
  (
    status: number,
    type: string,
    title: string,
    detail: (name: string, error: Error) => string,
    retryAfter?: number,
  ): Describe =>
  (error, { service, host }) => ({
    type,
    status,
    title,
    detail: detail(service ?? host ?? 'the service', error),
    ...(retryAfter !== undefined && { retryAfter }),
  });

/** The one table from an error's code to its answer. */
const PROBLEMS: Readonly<Record<string, Describe>> = {
  INVALID_HOST: describe(400, 'invalid-host', 'Invalid host', (_, error) => error.message),
  BAD_REQUEST: describe(400, 'bad-request', 'Bad request', (_, error) => error.message),
  HTTP_VERSION: describe(505, 'http-version', 'HTTP version not supported', (_, error) => error.message),
  SERVICE_NOT_FOUND: describe(404, 'service-not-found', 'No such service', (_, error) => error.message),
  REVISION_NOT_FOUND: describe(404, 'revision-not-found', 'No such revision', (_, error) => error.message),
  METHOD_NOT_ALLOWED: ({ message }) => ({
    type: 'method-not-allowed',
    status: 405,
    title: 'Method not allowed',
    detail: message,
    allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  }),
  REQUEST_TIMEOUT: describe(408, 'request-timeout', 'Request timeout', (_, error) => error.message),
  BODY_TOO_LARGE: describe(413, 'body-too-large', 'Body too large', (_, error) => error.message),
  EXPECTATION_FAILED: describe(417, 'expectation-failed', 'Expectation failed', (_, error) => error.message),
  TARGET_TOO_LONG: describe(414, 'target-too-long', 'Target too long', (_, error) => error.message),
  HEADERS_TOO_LARGE: describe(431, 'headers-too-large', 'Headers too large', (_, error) => error.message),
  IMAGE_NOT_FOUND: describe(
    502,
    'image-not-found',
    'Image not found',
    (name) => `The image of ${name} is not on this host.`,
  ),
  NETWORK_NOT_FOUND: describe(
    502,
    'network-not-found',
    'Network not found',
    (name) => `A network that ${name} is to join is not there.`,
  ),
  START_FAILED: describe(502, 'start-failed', 'Start failed', startFailed),
  ENGINE_REFUSED: describe(
    502,
    'start-failed',
    'Start failed',
    (name) => `The container of ${name} could not be started.`,
  ),
  UPSTREAM_DISCONNECTED: describe(
    502,
    'upstream-disconnected',
    'No answer',
    (name) => `${name} broke the connection before it answered.`,
  ),
  UPSTREAM_INVALID: describe(
    502,
    'upstream-disconnected',
    'No valid answer',
    (name) => `${name} answered with something that is not HTTP.`,
  ),
  LOOP: describe(508, 'loop-detected', 'A circle', (_, error) => error.message),
  BACKOFF: (error, { service }) => {
    const { retryAfterMs = 1000 } = error as { retryAfterMs?: number };
    const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
    const detail = `The last starts of ${service} failed; the next try is due in ${retryAfter} s.`;
    return { type: 'backoff', status: 503, title: 'Resting after failed starts', detail, retryAfter };
  },
  QUEUE_FULL: describe(
    503,
    'queue-full',
    'Too many wait',
    (name) => `Too many requests wait for ${name} already.`,
    1,
  ),
  CAPACITY: describe(503, 'capacity', 'No room', (name) => `There was no room to start ${name}.`, 5),
  NO_FREE_PORT: describe(
    503,
    'no-free-port',
    'No free port',
    (name) => `No port was free to start ${name}.`,
    5,
  ),
  NO_FREE_SOCKET: describe(
    503,
    'no-free-socket',
    'No connection left',
    (name) => `The proxy has no file descriptor left for a connection to ${name}.`,
    1,
  ),
  NO_ADDRESS_POOL: describe(
    503,
    'no-address-pool',
    'No address pool',
    (name) => `The engine had no addresses left for the network of ${name}.`,
    5,
  ),
  DATABASE_BUSY: describe(
    503,
    'database-busy',
    'Database busy',
    (name) => `What ${name} is could not be read, since the database is being written.`,
    1,
  ),
  ENGINE_UNREACHABLE: describe(
    503,
    'runtime-unavailable',
    'Runtime unavailable',
    (name) => `The runtime that starts ${name} cannot be reached.`,
    2,
  ),
  ASLEEP: describe(503, 'asleep', 'Asleep', (_, error) => error.message, 60),
  SHUTTING_DOWN: describe(503, 'shutting-down', 'Shutting down', () => 'The proxy is shutting down.', 5),
  NOT_READY: describe(504, 'not-ready', 'Not ready', (name, error) => {
    const { timeoutMs } = error as { timeoutMs?: number };
    return `${name} was started, but did not get ready${timeoutMs === undefined ? '' : ` within ${timeoutMs / 1000} s`}.`;
  }),
  UPSTREAM_TIMEOUT: describe(
    504,
    'upstream-timeout',
    'No answer in time',
    (name) => `${name} did not answer in time.`,
  ),
};

const UNKNOWN = describe(
  500,
  'internal-error',
  'Internal error',
  () => 'The proxy failed to handle the request.',
);

/** The answer that an error stands for. */
export function problemOf(error: unknown, context: Context): Problem {
  const known = PROBLEMS[codeOf(error) ?? ''] ?? UNKNOWN;
  return known(error instanceof Error ? error : new Error(String(error)), context);
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

/** The problem as {@link PROBLEM_TYPE} has it. */
export function problemJson(
  { type, title, status, detail }: Problem,
  service: string | undefined,
  requestId: string,
): string {
  return `${JSON.stringify({ type, title, status, detail, service, requestId })}\n`;
}

function startFailed(name: string, error: Error): string {
  const { exitCode, oomKilled } = error as { exitCode?: number; oomKilled?: boolean };
  if (oomKilled) return `${name} ran out of memory before it was ready.`;
  if (exitCode !== undefined && exitCode >= 0)
    return `${name} exited with code ${exitCode} before it was ready.`;
  return `The container of ${name} could not be started.`;
}
