import type { Problem } from '@cless/admin/schemas';
import { CODES, codeOfProblem, EXIT, knownCodeOf } from '@cless/model';

/**
 * The admin API answered with a problem (RFC 9457). Its code is that of the problem, or `REFUSED` for one that is not
 * known here.
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

/** What `cless` exits with after an error. */
export function exitCodeOf(error: unknown): number {
  const code = knownCodeOf(error);
  return (code && CODES[code].cliExit) ?? EXIT.failed;
}
