import { readFile } from 'node:fs/promises';

/** Where something listens, as the container sees it. */
export interface Listener {
  /** `0.0.0.0` and `::` are all its addresses. */
  readonly host: string;
  readonly port: number;
}

/** Linux's number for a socket that listens (`TCP_LISTEN`). */
const LISTEN = '0A';
/** Docker's own name server, in each container of a network that has a name. */
const NAME_SERVER = '127.0.0.11';

/**
 * Where the processes of a container listen, by `/proc/PID/net/tcp` and `tcp6`; nothing where that cannot be read here, as
 * when the engine runs on another machine, or sees other process ids.
 *
 * @param pid the engine's, of the container's first process
 * @param proc where Linux tells about processes
 */
export async function listenersOf(
  container: string,
  pid: number,
  proc = '/proc',
): Promise<Listener[] | undefined> {
  if (!(pid > 0)) return undefined;
  const read = (path: string) => readFile(`${proc}/${pid}/${path}`, 'utf8');
  try {
    const [groups, v4, v6] = await Promise.all([
      read('cgroup'),
      read('net/tcp'),
      read('net/tcp6').catch(() => ''), // there may be no IPv6
    ]);
    // Another process of that number says nothing.
    return groups.includes(container) ? [...listening(v4), ...listening(v6)] : undefined;
  } catch {
    return undefined;
  }
}

function listening(table: string): Listener[] {
  return table.split('\n').flatMap((line) => {
    const [, hex, digits, state] = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line) ?? [];
    if (hex === undefined || digits === undefined || state !== LISTEN) return [];
    const host = address(hex);
    return host === NAME_SERVER ? [] : [{ host, port: Number.parseInt(digits, 16) }];
  });
}

/** Written as words of four bytes, each with its last byte first. */
function address(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
  return isMapped ? bytes.slice(12).join('.') : groups.join(':').replace(/(?:^|:)0(?::0)+(?::|$)/, '::');
}
