import type { Problem } from '@cless/admin/schemas';
import { CODES, codeOfProblem, EXIT, knownCodeOf } from '@cless/model';

/**
 * The admin API answered with a problem (RFC 9457). Its code is that of the problem, or `REFUSED` if the type is
 * unknown.
 */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem';
  readonly code: string;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.code = codeOfProblem(problem) ?? 'REFUSED';
    this.problem = problem;
  }
}

/** The exit code of `cless` after an error. */
export function exitCodeOf(error: unknown): number {
  const code = knownCodeOf(error);
  return (code && CODES[code].cliExit) ?? EXIT.failed;
}
