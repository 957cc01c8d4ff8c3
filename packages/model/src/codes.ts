/** How to answer a client. */
export interface Answer {
  readonly status: number;
  /** In seconds. */
  readonly retryAfter?: number;
}

/** What a failure means, for everybody who is told about it. */
export interface Meaning {
  /** The slug of its problem type. Default: the code in lower case. Several codes may share one type. */
  readonly type?: string;
  readonly title: string;
  /**
   * The answer to the client of a service. Undefined if it never gets there; answered like `INTERNAL_ERROR` if it
   * does.
   */
  readonly edge?: Answer;
  /** The answer to the client of the admin API. Default: as for `edge`. */
  readonly admin?: Answer;
  /** The exit code of `cless`. Default 1. */
  readonly cliExit?: number;
  /**
   * The exit code of the proxy if it happens at its start, with only the message on stderr. Default 1, with the
   * stack.
   */
  readonly proxyExit?: number;
  /** For the docs: what happened, and what to do. */
  readonly means: string;
}

/** The exit codes of `cless`, by which a script can tell failures apart. */
export const EXIT = {
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  conflict: 5,
  interrupted: 130,
} as const;

/** Something must be fixed before the proxy can start. */
const TO_MEND = 2;

/** Every failure with a name. The codes are API; what they mean is defined only here. */
const TABLE = {
  // Invalid requests.
  BAD_REQUEST: {
    title: 'Bad request',
    edge: { status: 400 },
    means:
      'The bytes are not clearly one HTTP request, so the next parser might read another one. Mend the client.',
  },
  INVALID_HOST: {
    title: 'Invalid host',
    edge: { status: 400 },
    means:
      'The request names no host, more than one, or something that is no hostname. Send one valid `Host`.',
  },
  METHOD_NOT_ALLOWED: {
    title: 'Method not allowed',
    edge: { status: 405 },
    means: 'TRACE is not passed on. `Allow` has the methods that are.',
  },
  REQUEST_TIMEOUT: {
    title: 'Request timeout',
    edge: { status: 408 },
    means:
      'The request did not come in time, or its body stopped coming. Send it faster, or raise `CLESS_HEADERS_TIMEOUT` or `CLESS_BODY_TIMEOUT`.',
  },
  BODY_TOO_LARGE: {
    title: 'Body too large',
    edge: { status: 413 },
    admin: { status: 413 },
    cliExit: EXIT.usage,
    means:
      'The body is larger than `CLESS_MAX_BODY_BYTES`; the admin API takes 1 MiB. Send less, or raise the limit.',
  },
  TARGET_TOO_LONG: {
    title: 'Target too long',
    edge: { status: 414 },
    means:
      'The path with its query is longer than `CLESS_MAX_TARGET_BYTES`. Send parameters in the body, or raise the limit.',
  },
  EXPECTATION_FAILED: {
    title: 'Expectation failed',
    edge: { status: 417 },
    means: 'The request has an `Expect` of something else than `100-continue`. Leave it out.',
  },
  HEADERS_TOO_LARGE: {
    title: 'Headers too large',
    edge: { status: 431 },
    means:
      'The headers are larger than `CLESS_MAX_HEADER_BYTES`, or more than `CLESS_MAX_HEADERS`. Often a cookie has grown: remove it.',
  },
  HTTP_VERSION: {
    title: 'HTTP version not supported',
    edge: { status: 505 },
    means:
      'The request is of another protocol, or of another version of HTTP than 1.0 and 1.1. Speak HTTP/1.1.',
  },
  LOOP: {
    type: 'loop-detected',
    title: 'A circle',
    edge: { status: 508 },
    means:
      'The request has come through cLess five times: a service asks for itself under the name by which it was reached. Have it ask the instance it means.',
  },

  // Things that do not exist.
  SERVICE_NOT_FOUND: {
    title: 'No such service',
    edge: { status: 404 },
    admin: { status: 404 },
    cliExit: EXIT.notFound,
    means:
      'No service answers to this host, and no image does by convention; or none of its revisions gets traffic. `cless ls` shows what there is.',
  },
  REVISION_NOT_FOUND: {
    title: 'No such revision',
    edge: { status: 404 },
    admin: { status: 404 },
    cliExit: EXIT.notFound,
    means: 'The service has no such revision, or none that a header may ask for. `cless show` lists them.',
  },
  UNKNOWN_REVISION: {
    type: 'revision-not-found',
    title: 'No such revision',
    admin: { status: 422 },
    means:
      'A traffic split or a tag names a revision that there is not; `errors` points at it. `cless show` lists them.',
  },
  INSTANCE_NOT_FOUND: {
    title: 'No such instance',
    admin: { status: 404 },
    cliExit: EXIT.notFound,
    means: 'There is no such instance, or not any more. `cless instances` lists them.',
  },
  NOT_FOUND: {
    title: 'Not found',
    admin: { status: 404 },
    cliExit: EXIT.notFound,
    means: 'There is nothing of that name. Of the admin API, `/openapi.json` says what there is.',
  },

  // Instances that cannot be started.
  IMAGE_NOT_FOUND: {
    title: 'Image not found',
    edge: { status: 502 },
    admin: { status: 422 },
    means: 'The image is not on this host, and a request never pulls. Build it, or deploy with `--pull`.',
  },
  NETWORK_NOT_FOUND: {
    title: 'Network not found',
    edge: { status: 502 },
    means:
      'A network that the container is to join is not there. `docker network create` makes it, or deploy without it.',
  },
  START_FAILED: {
    title: 'Start failed',
    edge: { status: 502 },
    means:
      'The container could not be started, or it exited before it was ready. `cless show` has its exit code and its last words.',
  },
  ENGINE_REFUSED: {
    type: 'start-failed',
    title: 'Start failed',
    edge: { status: 502 },
    means: 'The engine refused to make or to start the container. The log has what it said.',
  },
  NOT_READY: {
    title: 'Not ready',
    edge: { status: 504 },
    means:
      'The instance runs, but did not answer as it is to in time. Does it listen on `PORT`, on all addresses? Else raise the ready timeout.',
  },
  BACKOFF: {
    title: 'Resting after failed starts',
    edge: { status: 503, retryAfter: 1 },
    means:
      'The last starts failed, so the next one is put off; `Retry-After` says until when (1 is the least). `cless show` says why they failed.',
  },
  QUEUE_FULL: {
    title: 'Too many wait',
    edge: { status: 503, retryAfter: 1 },
    means: 'As many requests wait for an instance as may. Ask again, or raise `CLESS_MAX_PENDING`.',
  },
  CAPACITY: {
    title: 'No room',
    edge: { status: 503, retryAfter: 5 },
    means:
      'As many instances run or start as may, and none could make room in time; or another one that writes the same volumes does not end. Ask again, or raise `CLESS_MAX_INSTANCES`.',
  },
  NO_FREE_PORT: {
    title: 'No free port',
    edge: { status: 503, retryAfter: 5 },
    means: 'Every port of `CLESS_PORT_RANGE` is in use. Widen it, or stop what uses them.',
  },
  NO_ADDRESS_POOL: {
    title: 'No address pool',
    edge: { status: 503, retryAfter: 5 },
    means:
      'The engine has no addresses left for a network. Remove networks that nobody needs (`docker network prune`), or give it more: `default-address-pools` in its `daemon.json`.',
  },
  ASLEEP: {
    title: 'Asleep',
    edge: { status: 503, retryAfter: 60 },
    means: 'The service sleeps, and its wake filter says that this request does not wake it.',
  },

  // Instances that do not answer.
  UPSTREAM_DISCONNECTED: {
    title: 'No answer',
    edge: { status: 502 },
    means:
      'The instance broke the connection before it answered, and the request may not be sent again. Its log may say why.',
  },
  UPSTREAM_INVALID: {
    type: 'upstream-disconnected',
    title: 'No valid answer',
    edge: { status: 502 },
    means: 'The instance answered with something that is not HTTP. Is it the right port?',
  },
  UPSTREAM_TIMEOUT: {
    title: 'No answer in time',
    edge: { status: 504 },
    means: 'The instance did not answer within the response timeout. Raise it for what takes longer.',
  },
  NO_FREE_SOCKET: {
    title: 'No connection left',
    edge: { status: 503, retryAfter: 1 },
    means: 'The proxy has no file descriptor left for a connection. Raise its limit (`ulimit -n`).',
  },

  // The proxy and what it needs.
  ENGINE_UNREACHABLE: {
    type: 'runtime-unavailable',
    title: 'Runtime unavailable',
    edge: { status: 503, retryAfter: 2 },
    admin: { status: 503, retryAfter: 2 },
    cliExit: EXIT.unreachable,
    means: 'The Docker Engine does not answer. Is it running? What is warm is served on.',
  },
  ENGINE_ADDRESS: {
    title: 'No usable engine address',
    proxyExit: TO_MEND,
    means: '`DOCKER_HOST` names no engine that can be used. Mend it.',
  },
  SHUTTING_DOWN: {
    title: 'Shutting down',
    edge: { status: 503, retryAfter: 5 },
    admin: { status: 503, retryAfter: 2 },
    cliExit: EXIT.unreachable,
    means: 'The proxy is about to exit. Ask the next one.',
  },
  INTERNAL_ERROR: {
    title: 'Internal error',
    edge: { status: 500 },
    admin: { status: 500 },
    means: 'An error that nobody expected. The log of the proxy has it; please report it.',
  },
  INVALID_SETTING: {
    title: 'Invalid setting',
    proxyExit: TO_MEND,
    means: 'A setting is unknown or malformed. The message names it, and what is allowed.',
  },
  STATE_DIRECTORY: {
    title: 'State directory cannot be used',
    proxyExit: TO_MEND,
    means:
      'It cannot be written, others may write to it, or another proxy has it. `CLESS_STATE_DIR` names another.',
  },
  STATE_LOST: {
    title: 'State directory lost',
    admin: { status: 503, retryAfter: 2 },
    cliExit: EXIT.unreachable,
    means:
      'The state directory is gone while the proxy runs: what is known is served on, nothing can be changed. Put it back, and start again.',
  },
  OWNER_TAKEN: {
    title: 'Owner taken',
    proxyExit: TO_MEND,
    means:
      'Another state directory has this owner, and each proxy would stop the other’s containers. Give each a `CLESS_OWNER` of its own.',
  },
  ADMIN_TOKEN: {
    title: 'No admin token',
    proxyExit: TO_MEND,
    means:
      'The file `admin-token` of the state directory holds none, or cannot be written. Remove it, and a new one is made.',
  },
  INVALID_SERVICES_FILE: {
    title: 'Invalid services file',
    means:
      'The file of the process runtime cannot be read, or is not as it should be. The message says what is.',
  },
  REPLACED: {
    title: 'Replaced',
    means: 'Another revision serves now. Nobody is told: what waited for this one waits for that one.',
  },
  CHANNEL_CLOSED: {
    title: 'Channel closed',
    means:
      'A worker or its primary is gone. Nobody is told: a worker is replaced, and ends with its primary.',
  },

  // The database of the services.
  DATABASE_BUSY: {
    title: 'Database busy',
    edge: { status: 503, retryAfter: 1 },
    admin: { status: 503, retryAfter: 2 },
    cliExit: EXIT.unreachable,
    proxyExit: TO_MEND,
    means: 'Another program writes to the database just now. Ask again.',
  },
  DATABASE_UNWRITABLE: {
    title: 'Database cannot be written',
    admin: { status: 503, retryAfter: 2 },
    cliExit: EXIT.unreachable,
    proxyExit: TO_MEND,
    means: 'The file or its disk is read-only for the proxy. Mend that; it was left as it is.',
  },
  DATABASE_FULL: {
    type: 'disk-full',
    title: 'Disk full',
    admin: { status: 507 },
    proxyExit: TO_MEND,
    means: 'There is no room on the disk of the state directory. Make some, and ask again.',
  },
  DATABASE_DAMAGED: {
    title: 'Database damaged',
    admin: { status: 500 },
    proxyExit: TO_MEND,
    means: 'The database is damaged, and was left as it is. Put a copy of it back.',
  },
  DATABASE_NEWER: {
    title: 'Database of a newer version',
    proxyExit: TO_MEND,
    means: 'A newer cLess has written the database. Start that one.',
  },
  DATABASE_FOREIGN: {
    title: 'Database of somebody else',
    proxyExit: TO_MEND,
    means: 'The file is a database, but not one of cLess. `CLESS_STATE_DIR` names another folder.',
  },
  DATABASE_FAILED: {
    title: 'Database failed',
    admin: { status: 500 },
    proxyExit: TO_MEND,
    means: 'SQLite reports something else. The message has it.',
  },

  // The admin API.
  INVALID_REQUEST: {
    title: 'Invalid request',
    admin: { status: 400 },
    cliExit: EXIT.usage,
    means: 'Something is wrong with the request; `errors` says where, and what is allowed.',
  },
  INVALID_TRAFFIC: {
    type: 'invalid-request',
    title: 'Invalid request',
    admin: { status: 400 },
    cliExit: EXIT.usage,
    means: 'The percentages are no split: whole numbers, each revision once, 100 together.',
  },
  UNAUTHORIZED: {
    title: 'Unauthorized',
    admin: { status: 401 },
    cliExit: EXIT.unreachable,
    means: 'The token is missing or wrong. It is in `admin-token` in the state directory.',
  },
  FORBIDDEN_HOST: {
    title: 'Forbidden host',
    admin: { status: 403 },
    cliExit: EXIT.unreachable,
    means: 'The admin API is not reached under this name. `CLESS_ADMIN_HOSTS` names others.',
  },
  FORBIDDEN_ORIGIN: {
    title: 'Forbidden origin',
    admin: { status: 403 },
    cliExit: EXIT.unreachable,
    means: 'A page of another origin asks. It may not.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    title: 'Unsupported media type',
    admin: { status: 415 },
    means: 'A body has to be `application/json`, and to say so.',
  },
  HOST_TAKEN: {
    title: 'Host taken',
    admin: { status: 409 },
    cliExit: EXIT.conflict,
    means: 'The host belongs to another service, which the detail names. Remove it there first.',
  },
  REVISION_IN_USE: {
    title: 'Revision in use',
    admin: { status: 409 },
    cliExit: EXIT.conflict,
    means: 'The revision gets traffic or has a tag. Take those away first.',
  },
  REVISION_NOT_READY: {
    title: 'Revision not ready',
    admin: { status: 409 },
    cliExit: EXIT.conflict,
    means: 'The revision has never been ready, so it gets neither traffic nor a tag. Deploy it again.',
  },
  AMBIGUOUS: {
    title: 'Ambiguous',
    admin: { status: 409 },
    cliExit: EXIT.conflict,
    means: 'Several instances have ids that begin so. Give more of the id.',
  },
  VERSION_CONFLICT: {
    title: 'Changed meanwhile',
    admin: { status: 412 },
    cliExit: EXIT.conflict,
    means: 'Somebody else has changed the service meanwhile. Read it again, then change it.',
  },
  NOT_ALLOWED: {
    title: 'Not allowed here',
    admin: { status: 422 },
    means:
      'This host or its runtime does not allow what the revision asks for; `errors` says what. Leave it out, or allow it.',
  },
  PULL_FAILED: {
    title: 'Pull failed',
    admin: { status: 422 },
    means: 'The image could not be pulled; the detail has what the registry or the engine said.',
  },
  ROLLOUT_REPLACES: {
    title: 'Rollout replaces',
    admin: { status: 422 },
    means:
      'Of revisions that write volumes one serves at a time, so they share no traffic. `--rollout overlap` lets them.',
  },
  DEPLOY_FAILED: {
    title: 'Deploy failed',
    admin: { status: 422 },
    means:
      'The revision did not get ready, so it gets no traffic; what served before serves on. `lastLogLines` has its last words.',
  },

  // cless itself.
  USAGE: {
    title: 'Wrong input',
    cliExit: EXIT.usage,
    means: 'An argument, an option or a file is not as it should be. The message says what is allowed.',
  },
  UNREACHABLE: {
    title: 'Admin API unreachable',
    cliExit: EXIT.unreachable,
    means:
      'The admin API does not answer, or something else does. Is the proxy running, and this its address?',
  },
  BROKEN_OFF: {
    title: 'Broken off',
    cliExit: EXIT.unreachable,
    means:
      'The connection to the admin API broke off. What was asked for may go on: look, before it is asked again.',
  },
  REFUSED: {
    title: 'Refused',
    means:
      'The admin API has refused with a problem that this version of `cless` does not know. The detail says why.',
  },
  INTERRUPTED: {
    title: 'Interrupted',
    cliExit: EXIT.interrupted,
    means: 'Ctrl-C. A deploy goes on, a pull is given up.',
  },
} satisfies Record<string, Meaning>;

export type Code = keyof typeof TABLE;

/** What each code means. */
export const CODES: Readonly<Record<Code, Meaning>> = TABLE;

export function isCode(text: string): text is Code {
  return Object.hasOwn(TABLE, text);
}

/** How the edge or the admin API answers a failure: as an internal error if it must not be disclosed. */
export function answerOf(
  code: Code | undefined,
  by: 'edge' | 'admin',
): Answer & { readonly code: Code; readonly title: string } {
  const answer = code && CODES[code][by];
  if (code === undefined || answer === undefined)
    return { code: 'INTERNAL_ERROR', title: TABLE.INTERNAL_ERROR.title, ...TABLE.INTERNAL_ERROR[by] };
  return { code, title: CODES[code].title, ...answer };
}

/** The page that explains problem types; a type is its URL with the slug as fragment (RFC 9457 §3.1.1). */
const PROBLEMS_PAGE = 'https://github.com/cless-cloud/cless/blob/main/docs/problems.md';

/** The short name of the problem type of a code: `START_FAILED` → `start-failed`. For metrics and anchors. */
export function slugOf(code: Code): string {
  return CODES[code].type ?? kebab(code);
}

/** A problem type: a URI that leads to its explanation. */
export function typeOf(slug: string): string {
  return `${PROBLEMS_PAGE}#${slug}`;
}

/** The code behind a problem of the admin API; undefined if it is not ours. */
export function codeOfProblem({ type, status }: { type: string; status: number }): Code | undefined {
  return Object.keys(CODES)
    .filter(isCode)
    .find((code) => CODES[code].admin?.status === status && typeOf(slugOf(code)) === type);
}

export function kebab(code: string): string {
  return code.toLowerCase().replaceAll('_', '-');
}
