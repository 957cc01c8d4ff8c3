import type { Incoming } from '../exchange/incoming.ts';

/** Protocols we never switch to: HTTP/2 without TLS, and TLS within HTTP (RFC 2817). */
const NEVER = /^(?:h2c|tls\/[\d.]+)$/i;

/**
 * The protocol that a client offers to switch to; undefined if the offer is ignored, as any server may do (RFC 9110
 * §7.8). Java's and Apache's clients offer h2c with their first requests. HTTP/1.0 has no upgrades, and nobody needs
 * one after a body.
 */
export function offeredUpgrade({
  rawHeaders,
  httpVersion,
}: Pick<Incoming, 'rawHeaders' | 'httpVersion'>): string | undefined {
  if (httpVersion !== '1.1') return undefined;
  const offered: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1] as string;
    switch (rawHeaders[i]?.toLowerCase()) {
      case 'upgrade':
        for (const protocol of value.split(',')) {
          const name = protocol.trim();
          if (name !== '' && !NEVER.test(name)) offered.push(name);
        }
        break;
      case 'transfer-encoding':
        return undefined;
      case 'content-length':
        if (!/^0*$/.test(value)) return undefined;
        break;
    }
  }
  return offered.length === 0 ? undefined : offered.join(', ');
}
