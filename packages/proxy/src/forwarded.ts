import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net';
import { isHopByHop, namedByConnection } from './hop-by-hop.ts';
import type { RequestHead } from './request-head.ts';

/** Addresses and networks whose `X-Forwarded-*` and `Forwarded` are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #verdicts = new WeakMap<Socket, boolean>();
  readonly #empty: boolean;

  /** @throws if one is neither an address nor a network in CIDR notation */
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

  /** Is the other end of this connection believed? */
  trusts(socket: Socket): boolean {
    if (this.#empty) return false;
    let verdict = this.#verdicts.get(socket);
    if (verdict === undefined) {
      const address = clientAddress(socket);
      verdict = this.#list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
      this.#verdicts.set(socket, verdict);
    }
    return verdict;
  }
}

/** The address of the other end; an IPv4 address that came over IPv6 is shown as what it is. */
function clientAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? '0.0.0.0';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Headers that are ours to set; those of strangers are dropped. */
const OURS = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
  'via',
  'expect',
]);
/** Written with `_` for `-` these would be another header's double: many apps read both as one. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);

/** What becomes of a client's header: passed on; dropped; passed on if the client is trusted. */
type Fate = 'pass' | 'drop' | 'trusted';

/** Fates by name as it was written. Clients write few different names; a crawler's inventions are not kept. */
const fates = new Map<string, Fate>();
const MAX_FATES = 1_000;

function fateOf(name: string): Fate {
  const known = fates.get(name);
  if (known !== undefined) return known;
  const fate = decideFate(name.toLowerCase());
  if (fates.size < MAX_FATES) fates.set(name, fate);
  return fate;
}

function decideFate(name: string): Fate {
  if (name === 'x-real-ip') return 'trusted';
  if (name === 'host' || isHopByHop(name) || OURS.has(name)) return 'drop';
  if (!name.includes('_')) return 'pass';
  const double = name.replaceAll('_', '-');
  const isDouble = double === 'host' || isHopByHop(double) || OURS.has(double) || FRAMING.has(double);
  return isDouble ? 'drop' : 'pass';
}

/**
 * The headers that the instance gets, name and value in turn: the client's in their order, without what is for
 * one connection only, with `Via`, `X-Forwarded-*`, `Forwarded` (RFC 7239) and `X-Request-Id` of our own.
 */
export function outgoingHeaders(
  request: IncomingMessage,
  { host, connection, via }: RequestHead,
  requestId: string,
  trusted: boolean,
): string[] {
  const { rawHeaders, socket, httpVersion } = request;
  const named = namedByConnection(connection);
  const outgoing: string[] = ['Host', host];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const fate = fateOf(name);
    if (fate === 'drop' || (fate === 'trusted' && !trusted)) continue;
    if (named?.has(name.toLowerCase())) continue;
    outgoing.push(name, rawHeaders[i + 1] as string);
  }

  const address = clientAddress(socket);
  const headers = trusted ? request.headers : {};
  const node = address.includes(':') ? `"[${address}]"` : address;
  const proto = single(headers['x-forwarded-proto']) ?? 'http';
  const own = `for=${node};host="${host}";proto=${proto}`;
  const before = single(headers['x-forwarded-for']);
  const forwarded = single(headers.forwarded);
  outgoing.push(
    'Via',
    via === undefined ? `${httpVersion} cless` : `${via}, ${httpVersion} cless`,
    'X-Forwarded-For',
    before === undefined ? address : `${before}, ${address}`,
    'X-Forwarded-Host',
    single(headers['x-forwarded-host']) ?? host,
    'X-Forwarded-Port',
    single(headers['x-forwarded-port']) ?? String(socket.localPort ?? 80),
    'X-Forwarded-Proto',
    proto,
    'Forwarded',
    forwarded === undefined ? own : `${forwarded}, ${own}`,
    'X-Request-Id',
    requestId,
  );
  return outgoing;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
