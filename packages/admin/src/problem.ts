import type { Context } from 'hono';
import leven, { closestMatch } from 'leven';
import { z } from 'zod';
import type { Problem } from './schemas.ts';

/** What a request is refused with (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(
    status: number,
    type: string,
    title: string,
    detail: string,
    more: Pick<Problem, 'errors' | 'revision' | 'lastLogLines'> = {},
  ) {
    super(detail);
    this.problem = { type, title, status, detail, ...more };
  }
}

/** The one table from the code of an error to its answer. */
const PROBLEMS: Readonly<Record<string, readonly [status: number, type: string, title: string]>> = {
  SERVICE_NOT_FOUND: [404, 'service-not-found', 'No such service'],
  REVISION_NOT_FOUND: [404, 'revision-not-found', 'No such revision'],
  HOST_TAKEN: [409, 'host-taken', 'Host taken'],
  VERSION_CONFLICT: [412, 'version-conflict', 'Changed meanwhile'],
  REVISION_IN_USE: [409, 'revision-in-use', 'Revision in use'],
  REVISION_NOT_READY: [409, 'revision-not-ready', 'Revision not ready'],
  INVALID_TRAFFIC: [400, 'invalid-request', 'Invalid request'],
  DATABASE_BUSY: [503, 'database-busy', 'Database busy'],
  DATABASE_UNWRITABLE: [503, 'database-unwritable', 'Database cannot be written'],
  DATABASE_FULL: [507, 'disk-full', 'Disk full'],
  DATABASE_DAMAGED: [500, 'database-damaged', 'Database damaged'],
  DATABASE_FAILED: [500, 'database-failed', 'Database failed'],
  SHUTTING_DOWN: [503, 'shutting-down', 'Shutting down'],
  ENGINE_UNREACHABLE: [503, 'runtime-unavailable', 'Runtime unavailable'],
  INSTANCE_NOT_FOUND: [404, 'instance-not-found', 'No such instance'],
  PULL_FAILED: [422, 'pull-failed', 'Pull failed'],
};

const RETRY_AFTER_SECONDS = '2';

/** The answer that an error stands for; nothing of an unexpected one is told. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const known = PROBLEMS[codeOf(error) ?? ''];
  if (known === undefined || !(error instanceof Error)) {
    const detail = 'The request could not be handled; the log of the proxy says why.';
    return { type: 'internal-error', title: 'Internal error', status: 500, detail };
  }
  const [status, type, title] = known;
  return { type, title, status, detail: error.message };
}

/** The code of an error that has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Is it for the operator, too, and not only for who has asked? */
export function isForOperator(error: unknown, { status }: Problem): boolean {
  return status === 500 || codeOf(error)?.startsWith('DATABASE_') === true;
}

export function answerProblem(context: Context, problem: Problem): Response {
  context.header('Content-Type', 'application/problem+json');
  context.header('Cache-Control', 'no-store');
  if (problem.status === 503) context.header('Retry-After', RETRY_AFTER_SECONDS);
  return context.body(`${JSON.stringify(problem)}\n`, problem.status as 400);
}

export function notFound(type: 'service' | 'revision' | 'instance', name: string): ProblemError {
  return new ProblemError(404, `${type}-not-found`, `No such ${type}`, `There is no ${type} ${name}.`);
}

/** Everything that is wrong with a value: where, and what is allowed there. */
export function invalid(
  error: z.core.$ZodError,
  schema: z.ZodType,
  where: 'body' | 'query' | 'path',
): ProblemError {
  const errors = error.issues.flatMap((issue) => explain(issue, schema));
  const [first] = errors;
  const detail =
    errors.length === 1 && first !== undefined
      ? `${first.pointer === '#' ? `The ${where}` : first.pointer}: ${first.detail}.`
      : `${errors.length} things are wrong with the ${where}.`;
  return new ProblemError(400, 'invalid-request', 'Invalid request', detail, { errors });
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, schema: z.ZodType): { pointer: string; detail: string }[] {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = keysAt(schema, issue.path);
      return issue.keys.map((key) => ({
        pointer: pointer([...issue.path, key]),
        detail: `there is no such field; ${suggest(key, allowed)}allowed are ${allowed.join(', ')}`,
      }));
    }
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({
        pointer: pointer(issue.path),
        detail: `as a name, ${message}`,
      }));
    case 'invalid_value':
      return [
        {
          pointer: pointer(issue.path),
          detail: `allowed is ${issue.values.map((value) => String(value)).join(' or ')}`,
        },
      ];
    case 'invalid_type':
      return [{ pointer: pointer(issue.path), detail: `allowed is ${article(issue.expected)}` }];
    case 'too_small':
      return [
        { pointer: pointer(issue.path), detail: `allowed is ${unit(issue.origin, issue.minimum)} or more` },
      ];
    case 'too_big':
      return [
        { pointer: pointer(issue.path), detail: `allowed is at most ${unit(issue.origin, issue.maximum)}` },
      ];
    default:
      return [{ pointer: pointer(issue.path), detail: issue.message }];
  }
}

/** RFC 6901, as a URI fragment. */
function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${encodeURI(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`;
}

function article(type: string): string {
  switch (type) {
    case 'int':
      return 'a whole number';
    case 'array':
      return 'a list';
    case 'record':
    case 'object':
      return 'an object';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${type}`;
  }
}

function unit(origin: string, limit: number | bigint): string {
  if (origin === 'string') return `${limit} characters`;
  return origin === 'array' ? `${limit} entries` : String(limit);
}

/** "did you mean …? ", if there is a word that near. */
function suggest(word: string, allowed: readonly string[]): string {
  const nearest = closestMatch(word, [...allowed], { maxDistance: 3 });
  return nearest !== undefined && leven(word, nearest) < word.length ? `did you mean ${nearest}? ` : '';
}

/** The fields of the object at that path of a schema. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const part of [...path, undefined]) {
    at = unwrap(at);
    if (part === undefined) break;
    if (at instanceof z.ZodObject) at = at.shape[String(part)];
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else if (at instanceof z.ZodArray) at = at.element;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault) at = at.unwrap();
  return at;
}
