import { readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseDuration } from '@cless/model';
import { closestMatch } from 'leven';
import { z } from 'zod';
import { TrustedProxies } from '../headers/forwarded.ts';

/** A setting is unknown or malformed; the message names it and what is allowed. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
  readonly code = 'INVALID_SETTING';
}

// What a setting may look like. Each says what is allowed, for its error.

function text<T>(allowed: string, parse: (value: string) => T | undefined) {
  return z.string().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

const oneOf = <const T extends string>(...values: T[]) =>
  text(values.join(' or '), (value) => values.find((one) => one === value));

const duration = text('a duration like 250ms, 30s or 5m', parseDuration);

/** `undefined` cannot be told from a failed parse: never is spelled out. */
const durationOrNever = text('a duration like 250ms, 30s or 5m, or never', (value) =>
  value === 'never' ? ('never' as const) : parseDuration(value),
);

const count = (min: number) => text(`a whole number from ${min}`, (value) => parseCount(value, min));

const countOrNone = (min: number) =>
  text(`a whole number from ${min}, or none`, (value) =>
    value === 'none' ? ('none' as const) : parseCount(value, min),
  );

const address = text('HOST:PORT, like 0.0.0.0:80 or [::]:80', parseAddress);

/** One line of the table: the schema, the default (as it would be written), and what it is for. */
interface Setting<T> {
  readonly schema: z.ZodType<T, string>;
  readonly default: string | (() => string);
  readonly help: string;
}

const setting = <T>(
  schema: z.ZodType<T, string>,
  byDefault: Setting<T>['default'],
  help: string,
): Setting<T> => ({
  schema,
  default: byDefault,
  help,
});

const SETTINGS = {
  listen: setting(address, '0.0.0.0:80', 'where requests arrive'),
  'admin-listen': setting(
    text('HOST:PORT, like 127.0.0.1:7070, or off', (value) =>
      value === 'off' ? value : parseAddress(value),
    ),
    '127.0.0.1:7070',
    'admin API; off',
  ),
  'admin-hosts': setting(
    text('hostnames like admin.example,cless.internal, or none', parseHostnames),
    'none',
    'names under which the admin API is reached besides localhost and its address',
  ),
  'admin-open-metrics': setting(
    oneOf('on', 'off'),
    'off',
    'on: anybody on this host may read /metrics of the admin API',
  ),
  'host-paths': setting(
    text('absolute paths like /srv/data,/srv/media, or none', parsePaths),
    'none',
    'folders of the host that services may be given as volumes',
  ),
  runtime: setting(
    oneOf('docker', 'process'),
    'docker',
    'what instances are: containers, or child processes',
  ),
  'process-services': setting(
    z.string(),
    '',
    'with the process runtime: the JSON file that maps names to commands',
  ),
  'image-suffix': setting(
    text('what may follow in an image’s name, like -docker', parseSuffix),
    '-docker',
    'image of the convention',
  ),
  convention: setting(oneOf('on', 'off'), 'on', 'off: registered services only'),
  domain: setting(z.string(), '', 'the convention holds for LABEL.DOMAIN only (default: any)'),
  'port-range': setting(
    text('FROM-TO within 1024-65535, like 8000-9000', parsePortRange),
    '8000-9000',
    'published ports',
  ),
  'ready-timeout': setting(duration, '30s', 'how long an instance may take to get ready'),
  'pause-after': setting(durationOrNever, '60s', 'idle → paused'),
  'stop-after': setting(durationOrNever, '15m', 'idle → stopped and removed'),
  'stop-grace': setting(duration, '10s', 'from SIGTERM to SIGKILL'),
  'max-pending': setting(count(1), '1000', 'requests that may wait for one revision; ten times that for all'),
  'max-starts': setting(
    count(1),
    () => String(2 * availableParallelism()),
    'starts at once (default: twice the cores)',
  ),
  'max-instances': setting(countOrNone(1), 'none', 'warm instances on this host'),
  'trust-proxy': setting(
    text('addresses or networks like 127.0.0.1,10.0.0.0/8, or none', parseTrustedProxies),
    'none',
    'whose X-Forwarded-* and Forwarded are believed',
  ),
  'drain-timeout': setting(duration, '30s', 'how long open requests may take at shutdown'),
  'on-exit': setting(oneOf('stop', 'keep'), 'stop', 'keep: leave instances to the next proxy'),
  forwarder: setting(oneOf('undici', 'http-proxy-3'), 'undici', 'what forwards requests'),
  workers: setting(
    text('a whole number from 1, or auto', (value) =>
      value === 'auto' ? availableParallelism() : parseCount(value, 1),
    ),
    '1',
    'processes that take the requests in; auto: one per core',
  ),
  'response-timeout': setting(duration, '5m', 'how long an instance may take to begin its answer'),
  'headers-timeout': setting(duration, '60s', 'how long a client may take for the head of its request'),
  'body-timeout': setting(durationOrNever, '60s', 'how long a client may be silent in the middle of a body'),
  'idle-timeout': setting(
    durationOrNever,
    '5m',
    'how long nothing may move in the middle of an answer that is no event stream',
  ),
  'keep-alive-timeout': setting(duration, '75s', 'how long a client’s connection may be idle'),
  'max-target-bytes': setting(count(256), '8192', 'length of a request’s target'),
  'max-header-bytes': setting(count(1024), '16384', 'size of a request’s headers'),
  'max-headers': setting(count(8), '200', 'number of a request’s headers'),
  'max-body-bytes': setting(countOrNone(0), 'none', 'size of a request’s body'),
  'state-dir': setting(z.string(), defaultStateDirectory, 'database, admin token, owner id'),
  owner: setting(
    text('up to 63 letters, digits, dots, hyphens and underscores', parseOwner),
    '',
    'the cless.owner label (default: a random id kept in the state directory)',
  ),
  'log-format': setting(
    oneOf('pretty', 'json'),
    () => (process.stdout.isTTY ? 'pretty' : 'json'),
    'how logs look (default: pretty on a terminal, else json)',
  ),
  'log-query': setting(
    oneOf('off', 'on'),
    'off',
    'on: the access log has query strings, which may hold tokens and names',
  ),
  'log-level': setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'what is logged',
  ),
} satisfies Record<string, Setting<unknown>>;

type Key = keyof typeof SETTINGS;

/** All settings, parsed. */
export type Settings = {
  readonly [K in Key]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
} & {
  /** Those that somebody has set. */
  readonly given: ReadonlySet<string>;
  /** What gives another process the same settings. */
  readonly flags: readonly string[];
};

/**
 * `CLESS_INSTANCE` marks the processes of the process runtime, a proxy among them perhaps; `CLESS_FORKED` those that a proxy
 * has forked; the others are the CLI's.
 */
const NOT_OURS = new Set(['CLESS_INSTANCE', 'CLESS_FORKED', 'CLESS_ADMIN_URL', 'CLESS_ADMIN_TOKEN']);

/**
 * Reads the settings: flag (`--pause-after 5m`), environment (`CLESS_PAUSE_AFTER`), file (`--config FILE` or
 * `CLESS_CONFIG`, JSON with the flags' names), default, in that order.
 *
 * @throws {SettingError} for one that is unknown or malformed
 */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const flags = readFlags(args);
  const environment = readEnvironment(env);
  const file = flags.get('config') ?? environment.get('config');
  const sources = [
    { name: (key: string) => `--${key}`, values: flags },
    { name: (key: string) => environmentName(key), values: environment },
    {
      name: (key: string) => `${key} in ${file?.value}`,
      values: file === undefined ? new Map() : readFile(file.value),
    },
  ];
  const given = new Set(sources.flatMap(({ values }) => [...values.keys()]));
  const flagsOfAll: string[] = [];
  const settings: Record<string, unknown> = { given, flags: flagsOfAll };
  for (const [key, { schema, default: byDefault }] of Object.entries(SETTINGS)) {
    const source = sources.find(({ values }) => values.has(key));
    const value: string =
      source?.values.get(key)?.value ?? (typeof byDefault === 'string' ? byDefault : byDefault());
    // What nobody has set need not look like something set: an empty default stands for none.
    if (source === undefined && value === '') {
      settings[key] = '';
      continue;
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const allowed = parsed.error.issues[0]?.message;
      throw new SettingError(
        `${source?.name(key) ?? environmentName(key)}: ${JSON.stringify(value)} is not allowed; allowed is ${allowed}`,
      );
    }
    settings[key] = parsed.data;
    if (source !== undefined) flagsOfAll.push(`--${key}=${value}`);
  }
  return settings as Settings;
}

/** The text of `--help`. */
export function settingsHelp(): string {
  const rows = Object.entries(SETTINGS).map(([key, { default: byDefault, help }]) => {
    const value = typeof byDefault === 'string' && byDefault !== '' ? ` (default: ${byDefault})` : '';
    return `  --${key.padEnd(20)} ${environmentName(key).padEnd(26)} ${help}${value}`;
  });
  return [
    'Usage: cless-proxy [--SETTING VALUE …] [--config FILE] [--take-over]',
    '',
    ...rows,
    '',
    '--take-over, given once, binds CLESS_OWNER to this state directory when the one before is lost.',
  ].join('\n');
}

interface Given {
  readonly value: string;
}

function readFlags(args: readonly string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (let i = 0; i < args.length; i++) {
    const [, key = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i] ?? '') ?? [];
    if (key === '') throw new SettingError(`${args[i]}: not a flag; allowed are ${listOfKeys('--')}`);
    checkKey(key, `--${key}`, '--');
    const value = inline ?? args[++i];
    if (value === undefined) throw new SettingError(`--${key}: the value is missing`);
    given.set(key, { value });
  }
  return given;
}

function readEnvironment(env: NodeJS.ProcessEnv): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('CLESS_') || NOT_OURS.has(name) || value === undefined) continue;
    const key = name.slice('CLESS_'.length).toLowerCase().replaceAll('_', '-');
    checkKey(key, name, 'CLESS_');
    if (value !== '') given.set(key, { value }); // set to nothing is not set
  }
  return given;
}

function readFile(file: string): Map<string, Given> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SettingError(`the settings file ${file}: ${error instanceof Error ? error.message : error}`);
  }
  if (content === null || typeof content !== 'object' || Array.isArray(content)) {
    throw new SettingError(`the settings file ${file}: allowed is an object like {"pause-after": "5m"}`);
  }
  return new Map(
    Object.entries(content).map(([key, value]) => {
      checkKey(key, `${key} in ${file}`, '');
      if (!['string', 'number'].includes(typeof value)) {
        throw new SettingError(
          `${key} in ${file}: ${JSON.stringify(value)} is not allowed; allowed is a string or a number`,
        );
      }
      return [key, { value: String(value) }];
    }),
  );
}

function checkKey(key: string, name: string, prefix: string): void {
  if (key in SETTINGS || (key === 'config' && prefix !== '')) return;
  const nearest = closestMatch(key, Object.keys(SETTINGS), { maxDistance: 3 });
  const meant = nearest === undefined ? '' : `did you mean ${spell(nearest, prefix)}? `;
  throw new SettingError(`${name}: there is no such setting; ${meant}allowed are ${listOfKeys(prefix)}`);
}

function spell(key: string, prefix: string): string {
  return prefix === 'CLESS_' ? environmentName(key) : prefix + key;
}

function listOfKeys(prefix: string): string {
  return Object.keys(SETTINGS)
    .map((key) => spell(key, prefix))
    .join(', ');
}

function environmentName(key: string): string {
  return `CLESS_${key.toUpperCase().replaceAll('-', '_')}`;
}

function parseCount(value: string, min: number): number | undefined {
  return /^\d{1,15}$/.test(value) && Number(value) >= min ? Number(value) : undefined;
}

function parseAddress(value: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) return undefined;
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

function parsePortRange(value: string): { from: number; to: number } | undefined {
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(value) ?? [];
  const range = { from: Number(from), to: Number(to) };
  return range.from >= 1024 && range.to <= 65535 && range.from <= range.to ? range : undefined;
}

function parseHostnames(value: string): string[] | undefined {
  if (value === 'none') return [];
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  return names.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) ? names : undefined;
}

function parsePaths(value: string): string[] | undefined {
  if (value === 'none') return [];
  const paths = value.split(',').map((path) => path.trim());
  return paths.every((path) => isAbsolute(path)) ? paths.map((path) => resolve(path)) : undefined;
}

function parseSuffix(value: string): string | undefined {
  return /^[a-z0-9._-]{0,64}(?::[\w][\w.-]{0,127})?$/.test(value) ? value : undefined;
}

function parseOwner(value: string): string | undefined {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(value) ? value : undefined;
}

function parseTrustedProxies(value: string): TrustedProxies | undefined {
  if (value === 'none') return new TrustedProxies([]);
  try {
    return new TrustedProxies(value.split(',').map((entry) => entry.trim()));
  } catch {
    return undefined;
  }
}

function defaultStateDirectory(): string {
  if (process.env.XDG_STATE_HOME) return join(process.env.XDG_STATE_HOME, 'cless');
  return process.getuid?.() === 0 ? '/var/lib/cless' : join(homedir(), '.local', 'state', 'cless');
}
