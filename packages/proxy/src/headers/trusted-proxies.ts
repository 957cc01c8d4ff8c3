import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Peer } from '../exchange/incoming.ts';

/** Addresses and networks whose `X-Forwarded-*` and `Forwarded` are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #verdicts = new WeakMap<Peer, boolean>();
  readonly #empty: boolean;

  /** @throws if an entry is neither an address nor a network in CIDR notation */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
      const bits = prefix === undefined ? undefined : Number(prefix);
      const valid =
        bits === undefined || (/^\d+$/.test(prefix ?? '') && bits <= (family === 'ipv4' ? 32 : 128));
      if (family === undefined || !valid)
        throw new Error(`${entry} is neither an address nor a network like 10.0.0.0/8`);
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, bits, family);
    }
  }

  /** Is the other end of this connection trusted? */
  trusts(peer: Peer): boolean {
    if (this.#empty) return false;
    let verdict = this.#verdicts.get(peer);
    if (verdict === undefined) {
      const address = clientAddress(peer);
      verdict = this.#list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
      this.#verdicts.set(peer, verdict);
    }
    return verdict;
  }
}

/** The address of the other end. An IPv4-mapped IPv6 address is given as IPv4. */
export function clientAddress(peer: Peer): string {
  const address = peer.remoteAddress ?? '0.0.0.0';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
