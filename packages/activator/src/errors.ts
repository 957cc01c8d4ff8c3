import type { Revision } from '@cless/model';

/** Errors that the activator raises; each has a stable `code`. */
abstract class ActivatorError extends Error {
  abstract readonly code: string;
}

/** The last starts of a revision failed; the next try is due in `retryAfterMs`. */
export class BackoffError extends ActivatorError {
  override readonly name = 'BackoffError';
  readonly code = 'BACKOFF';
  readonly retryAfterMs: number;

  constructor(service: string, failures: number, retryAfterMs: number, cause: unknown) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    super(`the last ${failures} starts of ${service} failed; the next try is due in ${seconds} s`, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** As many requests wait as may wait. */
export class QueueFullError extends ActivatorError {
  override readonly name = 'QueueFullError';
  readonly code = 'QUEUE_FULL';

  constructor(service: string, limit: number) {
    super(`${limit} requests wait for ${service} already`);
  }
}

/** There was no room for an instance, or no turn to start it, in time. */
export class CapacityError extends ActivatorError {
  override readonly name = 'CapacityError';
  readonly code = 'CAPACITY';

  constructor(service: string, why: string) {
    super(`no room for an instance of ${service}: ${why}`);
  }
}

/** Another instance of the service has its volumes, and does not go. */
export class VolumesInUseError extends ActivatorError {
  override readonly name = 'VolumesInUseError';
  readonly code = 'CAPACITY';

  constructor(service: string) {
    super(`no instance of ${service} was started: another one that writes its volumes does not end`);
  }
}

/** The revision serves no longer, and another one has taken its place: what waits for it is that one's. */
export class ReplacedError extends ActivatorError {
  override readonly name = 'ReplacedError';
  readonly code = 'REPLACED';
  readonly by: Revision;

  constructor(by: Revision) {
    super(`${by.service} is served by ${by.id} now`);
    this.by = by;
  }
}

/** The proxy is about to exit. */
export class ShuttingDownError extends ActivatorError {
  override readonly name = 'ShuttingDownError';
  readonly code = 'SHUTTING_DOWN';

  constructor() {
    super('the proxy is shutting down');
  }
}

/** Nothing is known of the runtime yet, since it cannot be reached. */
export class RuntimeUnavailableError extends ActivatorError {
  override readonly name = 'RuntimeUnavailableError';
  readonly code = 'ENGINE_UNREACHABLE';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : 'the runtime cannot be reached', { cause });
  }
}

/** An instance ended while it was awaited. */
export class InstanceExitedError extends ActivatorError {
  override readonly name = 'InstanceExitedError';
  readonly code = 'START_FAILED';
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;

  /** @param exit undefined if it was removed */
  constructor(service: string, exit: InstanceExit | undefined) {
    super(`${service} ${describeExit(exit)} before it was ready`);
    this.exitCode = exit?.exitCode;
    this.oomKilled = exit?.oomKilled ?? false;
  }
}

interface InstanceExit {
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
}

function describeExit(exit: InstanceExit | undefined): string {
  if (exit === undefined) return 'was removed';
  if (exit.oomKilled) return 'ran out of memory';
  return exit.exitCode === undefined ? 'ended' : `exited with code ${exit.exitCode}`;
}

/** An instance runs, but did not answer as it is to within its time. */
export class InstanceNotReadyError extends ActivatorError {
  override readonly name = 'InstanceNotReadyError';
  readonly code = 'NOT_READY';
  readonly timeoutMs: number;

  /** @param why in terms of the instance, for its owner */
  constructor(service: string, timeoutMs: number, why: string, cause: unknown) {
    super(`${service} was not ready within ${timeoutMs / 1_000} s: ${why}`, { cause });
    this.timeoutMs = timeoutMs;
  }
}

/** The service sleeps, and this request is none that wakes it. */
export class AsleepError extends ActivatorError {
  override readonly name = 'AsleepError';
  readonly code = 'ASLEEP';

  constructor(service: string) {
    super(`${service} sleeps, and this request does not wake it`);
  }
}
