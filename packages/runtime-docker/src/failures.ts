import { type FactsOf, Failure, hasCode } from '@cless/model';

/*
 * Failures of the runtime that are used in more than one place.
 */

/** The image is not on the host; images are never pulled. */
export function imageNotFound(image: string): Failure {
  return new Failure('IMAGE_NOT_FOUND', `image ${image} is not on this host; build or pull it first`, {
    image,
  });
}

/** A network to join does not exist, or may not be joined. */
export function networkNotFound(
  network: string,
  text = `network ${network} is not there; make it with: docker network create ${network}`,
): Failure {
  return new Failure('NETWORK_NOT_FOUND', text, { network });
}

/** The engine would not start the container, or it exited before it could be used. */
export function startFailed(
  image: string,
  reason: string,
  facts: FactsOf<'START_FAILED'> & { readonly cause?: unknown } = {},
): Failure {
  const all = { oomKilled: false, lastLogLines: [], ...facts, image, reason };
  return new Failure('START_FAILED', `a container of ${image} did not start: ${reason}`, all);
}

/** There is no such container (any more). */
export function instanceNotFound(id: string): Failure {
  return new Failure('INSTANCE_NOT_FOUND', `there is no container ${id.slice(0, 12)}`, { id });
}

/** Did the engine answer with this status? */
export function isRefusal(error: unknown, status: number): boolean {
  return hasCode(error, 'ENGINE_REFUSED') && error.status === status;
}
