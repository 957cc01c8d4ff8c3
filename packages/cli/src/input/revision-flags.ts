import {
  type Option as Described,
  Failure,
  PLACED_OPTIONS,
  type PlacedOption,
  type RevisionInput,
  setAt,
} from '@cless/model';
import { Option } from 'commander';
import { collect, wholeNumber } from '../command.ts';
import { readEnvFile, readKeyValues } from './key-values.ts';
import { readVolume, VOLUME_FORM } from './volume.ts';

/*
 * The flags of `cless deploy` for a revision: one for each option that the model describes and, where it says so, one
 * for a file of variables or for a single value.
 */

/** The flags in the order of the options. */
export function revisionFlags(): Option[] {
  return PLACED_OPTIONS.flatMap((placed) => {
    const { option, name } = placed;
    const flags: Option[] = [];
    if (option.takes !== undefined) {
      const short = option.short === undefined ? '' : `-${option.short}, `;
      flags.push(parsed(new Option(`${short}${longOf(placed)} <${option.takes}>`, option.help), option));
    }
    if (option.kind === 'variables')
      flags.push(new Option(`--${name}-file <file>`, option.fileHelp).argParser(collect));
    for (const { name: switchName, help } of Object.values(switchesOf(option)))
      flags.push(new Option(`--${switchName}`, help));
    return flags;
  });
}

/**
 * Converts the flags to the form of the API, which checks the values.
 *
 * @param given the values of all flags, from commander
 * @throws with code `USAGE` if something cannot be read at all
 */
export function readRevision(given: object, env: NodeJS.ProcessEnv): RevisionInput;
export function readRevision(given: object, env: NodeJS.ProcessEnv): object {
  const values = new Map<string, unknown>(Object.entries(given));
  const input: Record<string, unknown> = {};
  for (const placed of PLACED_OPTIONS) {
    const value = read(placed, (flag) => values.get(new Option(flag).attributeName()), env);
    if (value !== undefined) setAt(input, placed.at, value);
  }
  return input;
}

/** The flag that sets a field of the API, with the name of a variable; undefined if there is none. */
export function flagOf(first: string, second: string | undefined): string | undefined {
  const placed =
    PLACED_OPTIONS.find(({ at: [group, key] }) => group === first && key !== undefined && key === second) ??
    PLACED_OPTIONS.find(({ at: [group, key] }) => group === first && key === undefined);
  if (placed?.option.takes === undefined) return undefined;
  const isNamed = placed.option.kind === 'variables' && second !== undefined;
  return isNamed ? `${longOf(placed)} ${second}` : longOf(placed);
}

/** The values of a flag, if they can be listed. */
export function valuesOfFlag(long: string | undefined): readonly string[] {
  const option = PLACED_OPTIONS.find((placed) => longOf(placed) === long)?.option;
  return option !== undefined && 'values' in option ? option.values : [];
}

function longOf({ name }: PlacedOption): string {
  return `--${name}`;
}

function switchesOf(option: Described) {
  return option.kind === 'choice' ? (option.switches ?? {}) : {};
}

/** Gives a flag the parser of its option. Without one, the text is kept, and the last one counts. */
function parsed(flag: Option, option: Described): Option {
  switch (option.kind) {
    case 'whole':
      return flag.argParser(wholeNumber(option.min, option.max));
    case 'arguments':
    case 'variables':
    case 'volumes':
    case 'networks':
    case 'choices':
    case 'statuses':
      return flag.argParser(collect);
    default:
      return flag;
  }
}

/** Reads one option from the flags; undefined if it was not given. */
function read(placed: PlacedOption, given: (flag: string) => unknown, env: NodeJS.ProcessEnv): unknown {
  const { option } = placed;
  const long = longOf(placed);
  const value = given(long);
  const [named] = Object.entries(switchesOf(option)).find(([, { name }]) => given(`--${name}`)) ?? [];
  if (named !== undefined) return named;
  if (option.kind === 'variables') {
    const files = strings(given(`${long}-file`));
    const variables = Object.assign(
      {},
      ...files.map((file) => readEnvFile(`${long}-file`, file)),
      readKeyValues(long, strings(value), env),
    );
    return Object.keys(variables).length === 0 ? undefined : variables;
  }
  if (value === undefined) return undefined;
  switch (option.kind) {
    case 'number':
      return Number(value);
    case 'statuses':
      return strings(value).flatMap((statuses) => statuses.split(','));
    case 'volumes':
      return strings(value).map((text) => {
        const volume = readVolume(text);
        if (volume === undefined)
          throw new Failure(
            'USAGE',
            `${long}: ${JSON.stringify(text)} is not allowed; allowed is ${VOLUME_FORM}`,
          );
        return volume;
      });
    default:
      return value;
  }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
