import { answerOf, codeOf, Failure, hasCode, knownCodeOf, messageOf, slugOf, typeOf } from '@cless/model';
import type { Context } from 'hono';
import type { Problem } from '../schemas.ts';

/** The problem to answer an error with (RFC 9457). An unexpected error is not disclosed. */
export function problemOf(error: unknown): Problem {
  const { code, title, status } = answerOf(knownCodeOf(error), 'admin');
  const unexpected = 'The request could not be handled; the log of the proxy says why.';
  return {
    type: typeOf(slugOf(code)),
    title,
    status,
    detail: code === 'INTERNAL_ERROR' ? unexpected : messageOf(error),
    ...(hasCode(error, ...WITH_FIELDS) && error.errors && { errors: [...error.errors] }),
    ...(hasCode(error, 'DEPLOY_FAILED') && {
      revision: error.revision,
      lastLogLines: [...error.lastLogLines],
    }),
  };
}

/** The codes of problems that list the wrong fields of the request. */
const WITH_FIELDS = [
  'INVALID_REQUEST',
  'IMAGE_NOT_FOUND',
  'UNKNOWN_REVISION',
  'NOT_ALLOWED',
  'ROLLOUT_REPLACES',
] as const;

/** Is the error one for the operator, and not only for the client? */
export function isForOperator(error: unknown): boolean {
  const { status } = answerOf(knownCodeOf(error), 'admin');
  return status === 500 || codeOf(error)?.startsWith('DATABASE_') === true;
}

export function answerProblem(context: Context, error: unknown): Response {
  const { status, retryAfter } = answerOf(knownCodeOf(error), 'admin');
  context.header('Content-Type', 'application/problem+json');
  context.header('Cache-Control', 'no-store');
  if (retryAfter !== undefined) context.header('Retry-After', String(retryAfter));
  return context.body(`${JSON.stringify(problemOf(error))}\n`, status as 400);
}

const NOT_FOUND = {
  service: 'SERVICE_NOT_FOUND',
  revision: 'REVISION_NOT_FOUND',
  instance: 'INSTANCE_NOT_FOUND',
} as const;

export function notFound(what: keyof typeof NOT_FOUND, name: string): Failure {
  return new Failure(NOT_FOUND[what], `There is no ${what} ${name}.`);
}
