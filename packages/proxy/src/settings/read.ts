import { readFileSync } from 'node:fs';
import { Failure, messageOf } from '@cless/model';
import { closestMatch } from 'leven';
import { environmentName, SETTINGS, type Settings } from './table.ts';

/**
 * Variables that are not settings: `CLESS_INSTANCE` marks processes of the process runtime, which may be a proxy;
 * `CLESS_FORKED` marks workers; the others are for the CLI.
 */
const NOT_OURS = new Set(['CLESS_INSTANCE', 'CLESS_FORKED', 'CLESS_ADMIN_URL', 'CLESS_ADMIN_TOKEN']);

/**
 * Reads the settings: flag (`--pause-after 5m`), environment (`CLESS_PAUSE_AFTER`), file (`--config FILE` or
 * `CLESS_CONFIG`, JSON with the flags' names), default, in that order.
 *
 * @throws {Failure} `INVALID_SETTING` for one that is unknown or malformed
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
  for (const [key, { syntax, byDefault }] of Object.entries(SETTINGS)) {
    const source = sources.find(({ values }) => values.has(key));
    const value: string = source?.values.get(key)?.value ?? byDefault();
    // An empty default means none, and is not parsed.
    if (source === undefined && value === '') {
      settings[key] = '';
      continue;
    }
    const parsed = syntax.parse(value);
    if (parsed === undefined)
      throw invalid(
        `${source?.name(key) ?? environmentName(key)}: ${JSON.stringify(value)} is not allowed; allowed is ${syntax.allowed}`,
      );
    settings[key] = parsed;
    if (source !== undefined) flagsOfAll.push(`--${key}=${value}`);
  }
  return settings as Settings;
}

interface Given {
  readonly value: string;
}

function readFlags(args: readonly string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (let i = 0; i < args.length; i++) {
    const [, key = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i] ?? '') ?? [];
    if (key === '') throw invalid(`${args[i]}: not a flag; allowed are ${listOfKeys('--')}`);
    checkKey(key, `--${key}`, '--');
    const value = inline ?? args[++i];
    if (value === undefined) throw invalid(`--${key}: the value is missing`);
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
    if (value !== '') given.set(key, { value }); // an empty value means not set
  }
  return given;
}

function readFile(file: string): Map<string, Given> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw invalid(`the settings file ${file}: ${messageOf(error)}`);
  }
  if (content === null || typeof content !== 'object' || Array.isArray(content)) {
    throw invalid(`the settings file ${file}: allowed is an object like {"pause-after": "5m"}`);
  }
  return new Map(
    Object.entries(content).map(([key, value]) => {
      checkKey(key, `${key} in ${file}`, '');
      if (!['string', 'number'].includes(typeof value)) {
        throw invalid(
          `${key} in ${file}: ${JSON.stringify(value)} is not allowed; allowed is a string or a number`,
        );
      }
      return [key, { value: String(value) }];
    }),
  );
}

function checkKey(key: string, name: string, prefix: string): void {
  if (Object.hasOwn(SETTINGS, key) || (key === 'config' && prefix !== '')) return;
  const nearest = closestMatch(key, Object.keys(SETTINGS), { maxDistance: 3 });
  const meant = nearest === undefined ? '' : `did you mean ${spell(nearest, prefix)}? `;
  throw invalid(`${name}: there is no such setting; ${meant}allowed are ${listOfKeys(prefix)}`);
}

function spell(key: string, prefix: string): string {
  return prefix === 'CLESS_' ? environmentName(key) : prefix + key;
}

function listOfKeys(prefix: string): string {
  return Object.keys(SETTINGS)
    .map((key) => spell(key, prefix))
    .join(', ');
}

function invalid(message: string): Failure {
  return new Failure('INVALID_SETTING', message);
}
