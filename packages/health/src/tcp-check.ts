import { connect } from 'node:net';
import type { Endpoint } from '@cless/model';

/** How long a connection without data must stay open to count, in milliseconds. */
const STAYS_OPEN_MS = 50;

/**
 * Connects once. An accepted connection alone proves nothing: the Docker Engine's userland proxy accepts before the
 * container listens, and then closes. The check succeeds when data arrives or the connection stays open for 50 ms.
 */
export function checkTcp(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port, signal });
    let staysOpen: NodeJS.Timeout | undefined;
    const settle = (failure?: Error) => {
      clearTimeout(staysOpen);
      socket.destroy();
      if (failure === undefined) resolve();
      else reject(failure);
    };
    socket.once('connect', () => {
      staysOpen = setTimeout(settle, STAYS_OPEN_MS);
    });
    socket.once('data', () => settle());
    socket.once('end', () => settle(new Error('accepted, then closed')));
    socket.on('error', settle); // `on`, not `once`: destroying may emit another
  });
}
