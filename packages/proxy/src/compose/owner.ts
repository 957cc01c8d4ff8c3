import { Failure, hasCode, systemClock } from '@cless/model';
import { type Owned, OwnerClaim } from '../process/owner-claim.ts';
import type { StateDirectory } from '../process/state-directory.ts';

/**
 * A flag rather than a setting, since it is meant for a single start. It binds the owner to this state directory,
 * whatever it was bound to.
 */
export const TAKE_OVER = '--take-over';

/**
 * Keeps a named owner bound to the state directory.
 *
 * @param owned undefined if nobody else can have the owner
 * @param onTaken called once, if it turns out to belong to another state directory after all
 * @throws {Failure} `INVALID_SETTING` if it is bound to another state directory
 */
export async function claimOwner(
  owned: Owned | undefined,
  state: StateDirectory,
  onTaken: (error: Error) => void,
): Promise<void> {
  if (owned === undefined) return;
  try {
    await OwnerClaim.make({
      runtime: owned,
      clock: systemClock,
      onTaken: (error) => onTaken(explainTaken(error, state)),
    });
  } catch (error) {
    throw explainTaken(error, state);
  }
}

function explainTaken(error: unknown, state: StateDirectory): Error {
  if (!hasCode(error, 'OWNER_TAKEN')) return error instanceof Error ? error : new Error(String(error));
  const { directory = 'another one' } = error;
  if (directory === state.path)
    return new Failure(
      'INVALID_SETTING',
      `CLESS_OWNER: the owner ${error.owner} is bound to the state directory that was at ${directory} before, and this is ` +
        `another one: put that one back; if it is lost for good, start this proxy once with ${TAKE_OVER}`,
      { cause: error },
    );
  return new Failure(
    'INVALID_SETTING',
    `CLESS_OWNER: ${error.message}, and this proxy has ${state.path}: each would stop the other's containers. ` +
      `Give each a CLESS_OWNER of its own, or start this one with CLESS_STATE_DIR=${directory}; if that is lost for good, ` +
      `start this one once with ${TAKE_OVER}`,
    { cause: error },
  );
}
