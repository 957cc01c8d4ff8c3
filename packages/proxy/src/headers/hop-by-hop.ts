const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** What `Connection` may name in vain: without them a message would be another one. */
const NEVER_HOP_BY_HOP = new Set([
  'host',
  'content-length',
  'content-type',
  'cache-control',
  'close',
  'keep-alive',
]);

/** Is the header for one connection only (RFC 9110 §7.6.1)? The name is in lower case. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Names as they are written, whose lower case was looked up before: instances write few different ones. */
const verdicts = new Map<string, boolean>();
const MAX_VERDICTS = 1_000;

/** The same for a name as it is written. */
export function isHopByHopName(name: string): boolean {
  let verdict = verdicts.get(name);
  if (verdict === undefined) {
    verdict = isHopByHop(name.toLowerCase());
    if (verdicts.size < MAX_VERDICTS) verdicts.set(name, verdict);
  }
  return verdict;
}

/** The header names that the `Connection` header lists, if there are any that are to be dropped, too. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !NEVER_HOP_BY_HOP.has(name));
  return names.length === 0 ? undefined : new Set(names);
}
