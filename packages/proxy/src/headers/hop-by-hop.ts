/** Their names in lower case. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that `Connection` may not remove, since the message would mean something else without them. */
const NEVER_HOP_BY_HOP = new Set([
  'host',
  'content-length',
  'content-type',
  'cache-control',
  'close',
  'keep-alive',
]);

/** Is the header hop-by-hop (RFC 9110 §7.6.1)? The name must be in lower case. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Results by the name as written. Instances use few different names. */
const verdicts = new Map<string, boolean>();
const MAX_VERDICTS = 1_000;

/** The same for a name in any case. */
export function isHopByHopName(name: string): boolean {
  let verdict = verdicts.get(name);
  if (verdict === undefined) {
    verdict = isHopByHop(name.toLowerCase());
    if (verdicts.size < MAX_VERDICTS) verdicts.set(name, verdict);
  }
  return verdict;
}

/** The names listed in `Connection` that must be dropped too; undefined if there are none. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !NEVER_HOP_BY_HOP.has(name));
  return names.length === 0 ? undefined : new Set(names);
}

const CLOSE = /(?:^|,)\s*close\s*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)\s*keep-alive\s*(?:,|$)/i;

/**
 * Does a request of HTTP/1.0 ask for keep-alive? Node would also accept `Proxy-Connection`, or the later of two
 * headers.
 */
export function isKeptAlive(connection = ''): boolean {
  return KEEP_ALIVE.test(connection) && !CLOSE.test(connection);
}
