import type { AddressInfo } from 'node:net';
import { Failure } from '@cless/model';
import type { Address } from './edge.ts';

export function hostAndPort({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Why it is not possible to listen there, in words that help; the error itself, where there are none. */
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
