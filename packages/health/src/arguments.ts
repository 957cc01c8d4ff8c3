import type { Endpoint } from '@cless/model';
import type { Check } from './check.ts';

/** The longest that a timer of Node's can run (24.8 days); one that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Rejects arguments with which no attempt could succeed.
 *
 * @throws {TypeError} whose message says what is allowed
 */
export function checkArguments(endpoint: Endpoint, check: Check): void {
  const { host, port } = (typeof endpoint === 'object' && endpoint) || {};
  if (typeof host !== 'string' || host === '' || /[\s/?#@]/.test(host)) {
    throw new TypeError(
      `endpoint ${JSON.stringify(endpoint)}: allowed is { host, port }, with a host name or an address`,
    );
  }
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TypeError(`port ${JSON.stringify(port)}: allowed are whole numbers from 1 to 65535`);
  switch (check.kind) {
    case 'tcp':
      return;
    case 'http':
      for (const status of (check.statuses ?? []).flat()) {
        if (!Number.isInteger(status) || status < 100 || status > 599)
          throw new TypeError(`status ${JSON.stringify(status)}: allowed are whole numbers from 100 to 599`);
      }
      return;
    default:
      throw new TypeError(`check ${JSON.stringify(check)}: allowed are the kinds http and tcp`);
  }
}

/**
 * Clamps a duration, in milliseconds, to the longest that a timer can run.
 *
 * @throws {TypeError} if it is not a duration
 */
export function timerMs(name: string, ms: number): number {
  if (typeof ms !== 'number' || !(ms >= 0))
    throw new TypeError(`${name} ${JSON.stringify(ms)}: allowed are milliseconds, 0 or more`);
  return Math.min(ms, LONGEST_TIMER_MS);
}
