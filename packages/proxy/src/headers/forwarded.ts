import type { Fields, Incoming } from '../exchange/incoming.ts';
import { isHopByHop, namedByConnection } from './hop-by-hop.ts';
import { fewerForwards, PSEUDONYM } from './hops.ts';
import { clientAddress } from './trusted-proxies.ts';

/** Headers that we set or that end here; clients' are dropped. */
export const OURS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
  'via',
  'expect',
  'trailer', // trailers of requests are not passed on
]);
/**
 * Headers by which proxies say where a request came from or what it originally asked for. Frameworks believe any of
 * them.
 */
const OF_PROXIES = /^x-(?:real-ip$|(?:forwarded|original|rewrite)(?:-|$))/;
/** Headers that must not be doubled by a name with `_` for `-`, since many apps treat both as the same. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);

/** What happens to a client's header: passed on; dropped; passed on if the client is trusted; counted down. */
type Fate = 'pass' | 'drop' | 'trusted' | 'count';

/** Fates by the name as written. Clients use few different names; a limit keeps invented ones from piling up. */
const fates = new Map<string, Fate>();
const MAX_FATES = 1_000;

/** What happens to the header of this name, in any case. */
export function fateOf(name: string): Fate {
  const known = fates.get(name);
  if (known !== undefined) return known;
  const fate = decideFate(name.toLowerCase());
  if (fates.size < MAX_FATES) fates.set(name, fate);
  return fate;
}

function decideFate(name: string): Fate {
  if (name === 'max-forwards') return 'count';
  if (name === 'host' || isHopByHop(name) || OURS.has(name)) return 'drop';
  if (OF_PROXIES.test(name)) return 'trusted';
  if (!name.includes('_')) return 'pass';
  const double = name.replaceAll('_', '-');
  return decideFate(double) === 'pass' && !FRAMING.has(double) ? 'pass' : 'drop';
}

/** RFC 3986 §3.1; also a token, as `Forwarded` requires. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

/** The schemes that a trusted client gives for each hop, first hop first; undefined if one is not a scheme. */
function schemesOf(proto: string | undefined): readonly string[] | undefined {
  const schemes = proto?.split(',').map((one) => one.trim());
  return schemes?.every((one) => SCHEME.test(one)) ? schemes : undefined;
}

/** The port that the client asked for. */
function portOf(host: string, scheme: string): string {
  const named = /:(\d{1,5})$/.exec(host)?.[1];
  return named ?? (scheme === 'https' || scheme === 'wss' ? '443' : '80');
}

/** Stands in for the headers of an untrusted client. */
const UNTOLD: Fields = { header: () => undefined };

/** What is said about where a request came from. */
export type Origin = Fields & Pick<Incoming, 'httpVersion' | 'scheme' | 'peer'>;

/** Values already read from the headers. */
interface ReadHeaders {
  readonly host: string;
  readonly connection: string | undefined;
  readonly via: string | undefined;
}

/**
 * The headers for the instance, names and values alternating: the client's in their order, without hop-by-hop
 * headers, and our own `Via`, `X-Forwarded-*`, `Forwarded` (RFC 7239) and `X-Request-Id`.
 */
export function instanceHeaders(
  incoming: Incoming,
  { host, connection, via }: ReadHeaders,
  requestId: string,
  trusted: boolean,
): string[] {
  const { method, rawHeaders } = incoming;
  const named = namedByConnection(connection);
  const outgoing: string[] = ['Host', host];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const fate = fateOf(name);
    if (fate === 'drop' || (fate === 'trusted' && !trusted)) continue;
    if (named?.has(name.toLowerCase())) continue;
    const value = rawHeaders[i + 1] as string;
    outgoing.push(name, fate === 'count' ? fewerForwards(method, value) : value);
  }
  outgoing.push(...originHeaders(incoming, { host, via }, trusted), 'X-Request-Id', requestId);
  return outgoing;
}

/**
 * Our own headers on where a request came from, names and values alternating: `Via`, `X-Forwarded-*`, `Forwarded`.
 *
 * @param trusted is what the client says itself believed?
 */
export function originHeaders(
  origin: Origin,
  { host, via }: Pick<ReadHeaders, 'host' | 'via'>,
  trusted: boolean,
): string[] {
  const address = clientAddress(origin.peer);
  const told = trusted ? origin : UNTOLD;
  const node = address.includes(':') ? `"[${address}]"` : address;
  const schemes = schemesOf(told.header('x-forwarded-proto')) ?? [origin.scheme];
  const [scheme = origin.scheme] = schemes;
  const askedHost = told.header('x-forwarded-host') ?? host;
  const own = `for=${node};host="${host}";proto=${scheme}`;
  const before = told.header('x-forwarded-for');
  const forwarded = told.header('forwarded');
  return [
    'Via',
    `${via === undefined ? '' : `${via}, `}${origin.httpVersion} ${PSEUDONYM}`,
    'X-Forwarded-For',
    before === undefined ? address : `${before}, ${address}`,
    'X-Forwarded-Host',
    askedHost,
    'X-Forwarded-Port',
    told.header('x-forwarded-port') ?? portOf(askedHost.split(',', 1)[0] ?? host, scheme),
    'X-Forwarded-Proto',
    schemes.join(', '),
    'Forwarded',
    forwarded === undefined ? own : `${forwarded}, ${own}`,
  ];
}
