import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '@cless/model';

/** Resolves when a container may be used. Rejects with the reason if it cannot, or with the signal's reason. */
export type Ready = (
  endpoint: Endpoint,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<unknown>;

/** How long a connection without data must stay open to count, in milliseconds. */
const STAYS_OPEN_MS = 50;
const MIN_DELAY_MS = 2;
const MAX_DELAY_MS = 100;

/**
 * Ready when a TCP connection shows that an app is behind it. An accepted connection alone proves nothing: the
 * engine's relay accepts before the container listens, and then closes. It counts if data arrives or the connection
 * stays open for 50 ms.
 */
export const untilConnected: Ready = async (endpoint, { timeoutMs, signal }) => {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const either = AbortSignal.any([signal, late.signal]);
  try {
    let delayMs = MIN_DELAY_MS;
    while (!(await connects(endpoint, either))) {
      signal.throwIfAborted();
      if (late.signal.aborted) throw new Error(`it took no connection within ${timeoutMs} ms`);
      await sleep(delayMs, undefined, { signal: either }).catch(() => {});
      delayMs = Math.min(delayMs * 1.5, MAX_DELAY_MS);
    }
  } finally {
    clearTimeout(timer);
  }
};

function connects({ host, port }: Endpoint, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, signal });
  let staysOpen: NodeJS.Timeout | undefined;
  const settle = (isOpen: boolean) => {
    clearTimeout(staysOpen);
    socket.destroy();
    resolve(isOpen);
  };
  socket.once('connect', () => {
    staysOpen = setTimeout(settle, STAYS_OPEN_MS, true);
  });
  socket.once('data', () => settle(true));
  socket.once('end', () => settle(false));
  socket.on('error', () => settle(false)); // `on`, not `once`: destroying may emit another
  return promise;
}
