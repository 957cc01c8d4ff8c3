import { Failure } from '@cless/model';
import type { Exit } from './event.ts';
import type { Revision } from './revision.ts';

/*
 * The failures of the activator. How they are answered follows from their codes.
 */

export function backoff(service: string, failures: number, retryAfterMs: number, cause: unknown): Failure {
  const seconds = Math.ceil(retryAfterMs / 1000);
  return new Failure(
    'BACKOFF',
    `the last ${failures} starts of ${service} failed; the next try is due in ${seconds} s`,
    { retryAfterMs, cause },
  );
}

export function queueFull(service: string, limit: number): Failure {
  return new Failure('QUEUE_FULL', `${limit} requests wait for ${service} already`);
}

/** There was no room for an instance, or no turn to start, in time. */
export function noRoom(service: string, why: string): Failure {
  return new Failure('CAPACITY', `no room for an instance of ${service}: ${why}`);
}

/** Another instance of the service holds its volumes and does not leave. */
export function volumesInUse(service: string): Failure {
  return new Failure(
    'CAPACITY',
    `no instance of ${service} was started: another one that writes its volumes does not end`,
  );
}

/** The revision has been replaced by another, which takes over its waiting requests. */
export function replaced({ service, id }: Pick<Revision, 'service' | 'id'>): Failure {
  return new Failure('REPLACED', `${service} is served by ${id} now`, { by: { service, id } });
}

/** The runtime has never been reached, so it is not known what runs. */
export function runtimeUnavailable(cause: unknown): Failure {
  const text = cause instanceof Error ? cause.message : 'the runtime cannot be reached';
  return new Failure('ENGINE_UNREACHABLE', text, { cause });
}

/**
 * An instance exited or was removed while requests waited for it.
 *
 * @param exit undefined if it was removed
 */
export function instanceExited(service: string, exit: Exit | undefined): Failure {
  return new Failure('START_FAILED', `${service} ${describeExit(exit)} before it was ready`, {
    exitCode: exit?.exitCode,
    oomKilled: exit?.oomKilled ?? false,
  });
}

function describeExit(exit: Exit | undefined): string {
  if (exit === undefined) return 'was removed';
  if (exit.oomKilled) return 'ran out of memory';
  return exit.exitCode === undefined ? 'ended' : `exited with code ${exit.exitCode}`;
}

/**
 * An instance runs but did not get ready in time.
 *
 * @param why the reason, in terms of the instance, for its owner
 */
export function notReady(service: string, timeoutMs: number, why: string, cause: unknown): Failure {
  return new Failure('NOT_READY', `${service} was not ready within ${timeoutMs / 1_000} s: ${why}`, {
    timeoutMs,
    cause,
  });
}
