import { readFile } from 'node:fs/promises';

/** An address that something in the container listens on. */
export interface Listener {
  /** `0.0.0.0` and `::` mean all addresses. */
  readonly host: string;
  readonly port: number;
}

/** Linux's state of a listening socket (`TCP_LISTEN`). */
const LISTEN = '0A';
/** Docker's DNS server, which listens in each container on a named network. */
const NAME_SERVER = '127.0.0.11';

/**
 * The addresses the processes of a container listen on, read from `/proc/PID/net/tcp` and `tcp6`; undefined if they
 * cannot be read, as when the engine runs on another machine or in another pid namespace.
 *
 * @param pid of the container's first process, as the engine sees it
 * @param proc where procfs is mounted
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
      read('net/tcp6').catch(() => ''), // IPv6 may be disabled
    ]);
    // The pid may belong to another process here.
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

/** The kernel writes addresses as 32-bit words in host byte order (little endian). */
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
