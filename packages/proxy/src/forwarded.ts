import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net';
import { isHopByHop, namedByConnection } from './hop-by-hop.ts';

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

/** Headers that are ours to set; those of strangers are dropped. Also dropped when written with `_`: many apps read both as one. */
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
/** Written with `_` these would be another header's double. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);

export interface ForwardedContext {
  /** The host that the request is for, with its port if it named one. */
  readonly host: string;
  readonly requestId: string;
  readonly trusted: boolean;
}

/**
 * The headers that the instance gets, name and value in turn: the client's in their order, without what is for
 * one connection only, with `Via`, `X-Forwarded-*`, `Forwarded` (RFC 7239) and `X-Request-Id` of our own.
 */
export function outgoingHeaders(
  request: IncomingMessage,
  { host, requestId, trusted }: ForwardedContext,
): string[] {
  const { rawHeaders, socket } = request;
  const named = namedByConnection(request.headers.connection);
  const outgoing: string[] = ['Host', host];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (lower === 'host' || isHopByHop(lower) || named?.has(lower)) continue;
    if (OURS.has(lower) && !(trusted && lower === 'x-real-ip')) continue;
    if (lower.includes('_') && isDouble(lower.replaceAll('_', '-'))) continue;
    outgoing.push(name, rawHeaders[i + 1] as string);
  }

  const address = clientAddress(socket);
  const headers = trusted ? request.headers : {};
  const port = String(socket.localPort ?? 80);
  const node = address.includes(':') ? `"[${address}]"` : address;
  const proto = single(headers['x-forwarded-proto']) ?? 'http';
  const own = `for=${node};host="${host}";proto=${proto}`;
  const before = single(headers['x-forwarded-for']);
  const forwarded = single(headers.forwarded);
  const via = request.headers.via;
  outgoing.push(
    'Via',
    via === undefined ? `${request.httpVersion} cless` : `${via}, ${request.httpVersion} cless`,
    'X-Forwarded-For',
    before === undefined ? address : `${before}, ${address}`,
    'X-Forwarded-Host',
    single(headers['x-forwarded-host']) ?? host,
    'X-Forwarded-Port',
    single(headers['x-forwarded-port']) ?? port,
    'X-Forwarded-Proto',
    proto,
    'Forwarded',
    forwarded === undefined ? own : `${forwarded}, ${own}`,
    'X-Request-Id',
    requestId,
  );
  return outgoing;
}

function isDouble(name: string): boolean {
  return name === 'host' || isHopByHop(name) || OURS.has(name) || FRAMING.has(name);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
