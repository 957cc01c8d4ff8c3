import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure, messageOf } from '@cless/model';

/** How to run a service. */
export interface Command {
  /** The program and its arguments, run without a shell. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Relative to the file. Default: the file's folder. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Reads the file that maps names to commands. @throws with code `INVALID_SERVICES_FILE` */
export async function readServicesFile(file: string): Promise<Map<string, Command>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw invalid(file, messageOf(error), error);
  }
  if (!isRecord(content)) throw invalid(file, 'it is no object');
  return new Map(Object.entries(content).map(([name, value]) => [name, parseCommand(file, name, value)]));
}

/** An id that changes when the definition does. */
export function commandId(command: Command): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(command)).digest('hex')}`;
}

/** Changes with the file, also if that is a link or is replaced by another file. */
export function versionOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return [ino, size, mtimeNs].join();
  } catch {
    return '';
  }
}

function parseCommand(file: string, name: string, value: unknown): Command {
  const wrong = (what: string) => invalid(file, `service ${name}: ${what}`);
  if (!isRecord(value)) throw wrong('it is no object');
  const { command, cwd = '.', env = {}, ...unknown } = value;
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw wrong(`unknown key ${first}`);
  if (!isCommandLine(command)) throw wrong('command must be a list of strings');
  if (typeof cwd !== 'string') throw wrong('cwd must be a string');
  if (!isEnvironment(env)) throw wrong('env must map names to strings');
  return { command, cwd: resolve(dirname(file), cwd), env };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isCommandLine(value: unknown): value is [string, ...string[]] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string');
}

function isEnvironment(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

function invalid(file: string, what: string, cause?: unknown): Failure {
  const allowed = '{"NAME": {"command": ["PROGRAM", "ARGUMENT", …], "cwd"?: "…", "env"?: {"K": "V"}}}';
  return new Failure('INVALID_SERVICES_FILE', `${file}: ${what}; allowed is ${allowed}`, { cause });
}
