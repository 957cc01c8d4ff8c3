import type { Problem } from '@cless/admin/schemas';

/** What a script can tell a failure by. */
export const EXIT = {
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  conflict: 5,
  interrupted: 130,
} as const;

/** A failure that is told in words, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The connection broke off: what was asked for may go on. */
export class BrokenOffError extends CliError {
  constructor(what: string) {
    super(what, EXIT.unreachable);
  }
}

/** Ctrl-C: what was asked for may go on. */
export class InterruptedError extends CliError {
  constructor(what = 'interrupted') {
    super(what, EXIT.interrupted);
  }
}

/** The admin API has refused (RFC 9457). */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export function exitCodeOf({ status }: Problem): number {
  switch (status) {
    case 400:
    case 413:
      return EXIT.usage;
    case 401:
    case 403:
    case 503:
      return EXIT.unreachable;
    case 404:
      return EXIT.notFound;
    case 409:
    case 412:
      return EXIT.conflict;
    default:
      return EXIT.failed;
  }
}
