import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Failure } from '@cless/model';

/**
 * Reads `NAME=VALUE`; a `NAME` alone takes its value from the environment.
 *
 * @throws with code `USAGE`
 */
export function readKeyValues(
  option: string,
  given: readonly string[],
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const entry of given) {
    const equals = entry.indexOf('=');
    const name = equals === -1 ? entry : entry.slice(0, equals);
    const value = equals === -1 ? env[name] : entry.slice(equals + 1);
    if (name === '')
      throw new Failure('USAGE', `${option}: ${JSON.stringify(entry)} has no name; allowed is NAME=VALUE`);
    if (value === undefined) {
      throw new Failure(
        'USAGE',
        `${option}: ${name} has no value, and the environment has none; allowed is NAME=VALUE, or the NAME of a variable that is set`,
      );
    }
    values[name] = value;
  }
  return values;
}

/** Reads a file of lines `NAME=VALUE` (as Node's `--env-file`). @throws with code `USAGE` */
export function readEnvFile(option: string, file: string): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(parseEnv(readFileSync(file, 'utf8'))).map(([key, value]) => [key, value ?? '']),
    );
  } catch (error) {
    throw new Failure(
      'USAGE',
      `${option}: ${file} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}
