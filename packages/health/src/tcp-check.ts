import { connect } from 'node:net';
import type { Endpoint } from './endpoint.ts';

/** Ready when a TCP connection proves that something is behind it. */
export interface TcpCheck {
  readonly kind: 'tcp';
}

/** How long a silent connection must stay open to count, in milliseconds. */
const STAYS_OPEN_MS = 50;

/**
 * Connects once. That the connection is accepted says nothing: the Docker Engine's userland proxy accepts
 * for a container that does not listen yet, and closes. It counts when data came or it stayed open 50 ms.
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
    socket.on('error', settle); // stays: destroying may raise another
  });
}
