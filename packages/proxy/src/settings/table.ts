import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import {
  anyText,
  count,
  countOrNone,
  duration,
  durationOrNever,
  oneOf,
  parseAddress,
  parseCount,
  parseHostnames,
  parseOwner,
  parsePaths,
  parsePortRange,
  parseSuffix,
  parseTrustedProxies,
  type Syntax,
  text,
  textOr,
} from './parsers.ts';

/** One line of the table. */
interface Setting<T> {
  readonly syntax: Syntax<T>;
  /** The default as it would be written. Empty means not set. */
  readonly byDefault: () => string;
  /** The default and the purpose of the setting, in Markdown. */
  readonly told: string;
  readonly help: string;
}

/** A default that depends on the machine. */
interface DefaultOfPlace {
  readonly value: () => string;
  readonly told: string;
}

function setting<T>(syntax: Syntax<T>, byDefault: string | DefaultOfPlace, help: string): Setting<T> {
  if (typeof byDefault === 'object')
    return { syntax, byDefault: byDefault.value, told: byDefault.told, help };
  return { syntax, byDefault: () => byDefault, told: byDefault && `\`${byDefault}\``, help };
}

/** All settings there are, by their flag without dashes. */
export const SETTINGS = {
  listen: setting(
    text('HOST:PORT, like 0.0.0.0:80 or [::]:80', parseAddress),
    '0.0.0.0:80',
    'where requests arrive',
  ),
  'admin-listen': setting(
    textOr('off', 'HOST:PORT, like 127.0.0.1:7070', parseAddress),
    '127.0.0.1:7070',
    'admin API; `off`',
  ),
  'admin-hosts': setting(
    text('hostnames like admin.example,cless.internal, or none', parseHostnames),
    'none',
    'names under which the admin API is reached besides localhost and its address',
  ),
  'admin-open-metrics': setting(
    oneOf('on', 'off'),
    'off',
    '`on`: anybody on this host may read `/metrics` of the admin API',
  ),
  'host-paths': setting(
    text('absolute paths like /srv/data,/srv/media, or none', parsePaths),
    'none',
    'folders of the host that services may be given as volumes',
  ),
  runtime: setting(
    oneOf('docker', 'process'),
    'docker',
    'what instances are: containers, or child processes (`process`)',
  ),
  'process-services': setting(
    anyText,
    '',
    'with the process runtime: the JSON file that maps names to commands',
  ),
  'image-suffix': setting(
    text('what may follow in an image’s name, like -docker', parseSuffix),
    '-docker',
    'what the convention adds to a service’s name to get its image’s',
  ),
  convention: setting(oneOf('on', 'off'), 'on', '`off`: registered services only'),
  domain: setting(anyText, { value: () => '', told: 'any' }, 'the convention holds for `LABEL.DOMAIN` only'),
  'port-range': setting(
    text('FROM-TO within 1024-65535, like 8000-9000', parsePortRange),
    '8000-9000',
    'published ports',
  ),
  'ready-timeout': setting(duration, '30s', 'how long an instance may take to get ready'),
  'pause-after': setting(durationOrNever, '60s', 'idle → paused; `never`'),
  'stop-after': setting(durationOrNever, '15m', 'idle → stopped and removed; `never`'),
  'stop-grace': setting(duration, '10s', 'from SIGTERM to SIGKILL'),
  'max-pending': setting(count(1), '1000', 'requests that may wait for one revision; ten times that for all'),
  'max-starts': setting(
    count(1),
    { value: () => String(2 * availableParallelism()), told: '2 × cores' },
    'starts at once',
  ),
  'max-instances': setting(
    countOrNone(1),
    'none',
    'warm instances on this host; the least recently used idle one makes room',
  ),
  'trust-proxy': setting(
    text('addresses or networks like 127.0.0.1,10.0.0.0/8, or none', parseTrustedProxies),
    'none',
    'addresses or networks whose `X-Forwarded-*` and `Forwarded` are believed',
  ),
  'drain-timeout': setting(duration, '30s', 'how long open requests may take at shutdown'),
  'on-exit': setting(oneOf('stop', 'keep'), 'stop', '`keep`: leave instances for the next proxy to adopt'),
  forwarder: setting(oneOf('undici', 'http-proxy-3'), 'undici', 'what forwards requests; or `http-proxy-3`'),
  lane: setting(
    oneOf('on', 'off'),
    'on',
    '`off`: every request takes the full way, none the short one for plain requests of ready instances',
  ),
  workers: setting(
    text('a whole number from 1, or auto', (value) =>
      value === 'auto' ? availableParallelism() : parseCount(value, 1),
    ),
    '1',
    'processes that take the requests in; `auto`: one per core',
  ),
  'response-timeout': setting(duration, '5m', 'how long an instance may take to begin its answer'),
  'headers-timeout': setting(duration, '60s', 'how long a client may take for the head of its request'),
  'body-timeout': setting(
    durationOrNever,
    '60s',
    'how long a client may be silent in the middle of a body; `never`',
  ),
  'idle-timeout': setting(
    durationOrNever,
    '5m',
    'how long nothing may move in an answer that is no event stream; `never`',
  ),
  'keep-alive-timeout': setting(duration, '75s', 'how long a client’s connection may be idle'),
  'max-target-bytes': setting(count(256), '8192', 'length of a request’s target'),
  'max-header-bytes': setting(count(1024), '16384', 'size of a request’s headers'),
  'max-headers': setting(count(8), '200', 'number of a request’s headers'),
  'max-body-bytes': setting(countOrNone(0), 'none', 'size of a request’s body'),
  'state-dir': setting(
    anyText,
    {
      value: defaultStateDirectory,
      told: '`$XDG_STATE_HOME/cless`, else `~/.local/state/cless`, as root `/var/lib/cless`',
    },
    'database, admin token, owner id; one proxy at a time',
  ),
  owner: setting(
    text('up to 63 letters, digits, dots, hyphens and underscores', parseOwner),
    { value: () => '', told: 'a random id kept in the state directory' },
    'the `cless.owner` label; bound to one state directory',
  ),
  'log-format': setting(
    oneOf('pretty', 'json'),
    {
      value: () => (process.stdout.isTTY ? 'pretty' : 'json'),
      told: '`pretty` on a terminal, else `json`',
    },
    'how logs look',
  ),
  'log-query': setting(
    oneOf('off', 'on'),
    'off',
    '`on`: the access log has query strings, which may hold tokens and names',
  ),
  'log-level': setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'what is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
  ),
} satisfies Record<string, Setting<unknown>>;

/** All settings, parsed. */
export type Settings = {
  readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
} & {
  /** The settings that were set explicitly. */
  readonly given: ReadonlySet<string>;
  /** The flags that give another process the same settings. */
  readonly flags: readonly string[];
};

/** `pause-after` as `CLESS_PAUSE_AFTER`. */
export function environmentName(key: string): string {
  return `CLESS_${key.toUpperCase().replaceAll('-', '_')}`;
}

function defaultStateDirectory(): string {
  if (process.env.XDG_STATE_HOME) return join(process.env.XDG_STATE_HOME, 'cless');
  return process.getuid?.() === 0 ? '/var/lib/cless' : join(homedir(), '.local', 'state', 'cless');
}
