import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Failure } from '@cless/model';

/** An address to listen on. */
export interface Address {
  readonly host: string;
  /** Zero means any free port. */
  readonly port: number;
}

export function hostAndPort({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Explains why it is not possible to listen there; returns the error itself if there is nothing to add. */
export function explainListenError(error: unknown, setting: string, { host, port }: Address): unknown {
  const reasons: Record<string, string> = {
    EACCES: 'this user may not; use a port from 1024 on, or give node the capability CAP_NET_BIND_SERVICE',
    EADDRINUSE: 'another program does already',
    EADDRNOTAVAIL: 'this host has no such address',
    ENOTSUP: 'this system lets no processes share a port; use one (CLESS_WORKERS)',
    ENOTFOUND: 'this host has no such address',
  };
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined
    ? error
    : new Failure('INVALID_SETTING', `${setting}: cannot listen on ${host}:${port}: ${reason}`, {
        cause: error,
      });
}

/**
 * Checks that nobody listens there yet, and picks a port for port 0. Processes that listen with SO_REUSEPORT share an
 * address with any other process of the same user that does so, and would not notice another proxy.
 *
 * @throws the system's error, with its `code`, if it is not possible to listen there
 */
export async function reserveAddress({ host, port }: Address): Promise<Address> {
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host, port: found };
}
