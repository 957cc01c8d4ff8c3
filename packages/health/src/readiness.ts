import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '@cless/model';
import { Failure } from '@cless/model';
import { checkArguments, timerMs } from './arguments.ts';
import type { Check } from './check.ts';
import { checkHttp } from './http-check.ts';
import { checkTcp } from './tcp-check.ts';

export interface WaitOptions {
  /** Default: HTTP `GET /`, any answer below 500. */
  readonly check?: Check;
  /** How long to try, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** How long one attempt may take, in milliseconds. Default 10,000. */
  readonly attemptTimeoutMs?: number;
  /** Aborts the wait at once, with the signal's reason: because the instance has died, or nobody waits any more. */
  readonly signal?: AbortSignal;
}

/** How long it took. */
export interface Ready {
  readonly attempts: number;
  readonly durationMs: number;
}

/**
 * If time runs out during an attempt younger than this, in milliseconds, the failure before it is reported: it says
 * more.
 */
const TELLING_MS = 1_000;
const MIN_DELAY_MS = 1;
const MAX_DELAY_MS = 100;
/**
 * The pause between attempts as a share of the elapsed time, so that polling adds only a few percent to any start.
 */
const DELAY_SHARE = 1 / 16;

/**
 * Waits until the endpoint answers. The first attempt is made at once; the pauses between attempts grow from a
 * millisecond to a tenth of a second.
 *
 * When it settles, no socket, timer or listener is left.
 *
 * @throws with code `NOT_READY`, when `timeoutMs` has passed; its `cause` is the last attempt's failure
 * @throws {TypeError} at once, if no attempt could succeed with these arguments
 * @throws the signal's reason when it is aborted
 */
export async function waitUntilReady(endpoint: Endpoint, options: WaitOptions = {}): Promise<Ready> {
  const { check = { kind: 'http' }, signal } = options;
  checkArguments(endpoint, check);
  const timeoutMs = timerMs('timeoutMs', options.timeoutMs ?? 30_000);
  const attemptTimeoutMs = timerMs('attemptTimeoutMs', options.attemptTimeoutMs ?? 10_000);
  signal?.throwIfAborted();

  const startedAt = performance.now();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error('no answer')), timeoutMs);
  const cancel = () => deadline.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  let attempts = 0;
  let lastFailure: unknown;
  try {
    for (;;) {
      attempts += 1;
      const attemptedAt = performance.now();
      try {
        await attempt(endpoint, check, attemptTimeoutMs, deadline.signal);
        return { attempts, durationMs: performance.now() - startedAt };
      } catch (failure) {
        if (failure instanceof TypeError) throw failure;
        const isCutShort = deadline.signal.aborted && performance.now() - attemptedAt < TELLING_MS;
        if (!isCutShort || lastFailure === undefined) lastFailure = failure;
      }
      const elapsedMs = performance.now() - startedAt;
      const delayMs = Math.min(Math.max(elapsedMs * DELAY_SHARE, MIN_DELAY_MS), MAX_DELAY_MS);
      await sleep(delayMs, undefined, { signal: deadline.signal }).catch(() => {});
      signal?.throwIfAborted();
      if (deadline.signal.aborted) throw notReady(endpoint, timeoutMs, attempts, lastFailure);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

function notReady(endpoint: Endpoint, timeoutMs: number, attempts: number, cause: unknown): Failure {
  const last = cause instanceof Error ? cause.message : 'no answer';
  return new Failure(
    'NOT_READY',
    `${endpoint.host}:${endpoint.port} was not ready after ${timeoutMs} ms and ${attempts} attempts: ${last}`,
    { endpoint, timeoutMs, attempts, cause },
  );
}

async function attempt(
  endpoint: Endpoint,
  check: Check,
  timeoutMs: number,
  deadline: AbortSignal,
): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const cancel = () => limit.abort(deadline.reason);
  deadline.addEventListener('abort', cancel, { once: true });
  try {
    switch (check.kind) {
      case 'http':
        return await checkHttp(endpoint, check, limit.signal);
      case 'tcp':
        return await checkTcp(endpoint, limit.signal);
    }
  } finally {
    clearTimeout(timer);
    deadline.removeEventListener('abort', cancel);
  }
}
