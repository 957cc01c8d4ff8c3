import { Failure } from '@cless/model';

/*
 * Failures of the runtime that are used in more than one place.
 */

/** The command could not be run. */
export function startFailed(image: string, reason: string, exitCode?: number): Failure {
  const facts = { image, reason, exitCode, oomKilled: false, lastLogLines: [] };
  return new Failure('START_FAILED', `the process of ${image} did not start: ${reason}`, facts);
}

/** There is no such process, or no longer. */
export function instanceNotFound(id: string): Failure {
  return new Failure('INSTANCE_NOT_FOUND', `there is no process ${id}`, { id });
}
