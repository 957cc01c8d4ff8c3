import type { Command, Option } from 'commander';
import type { AdminClient } from '../client/client.ts';
import { valuesOfFlag } from '../input/revision-flags.ts';

/** Tells the shell to complete file names, instead of a list of words. */
export const FILES = ':files';

/**
 * The words that the last of these words can be completed to.
 *
 * @param ask called only if the proxy has to be asked
 */
export async function complete(
  program: Command,
  given: readonly string[],
  ask: (options: object) => AdminClient,
): Promise<string[]> {
  const words = joined(given);
  const current = words.at(-1) ?? '';
  const candidates = await all(program, words, ask).catch(() => []);
  return candidates.filter((word) => word === FILES || word.startsWith(current));
}

async function all(
  program: Command,
  words: readonly string[],
  ask: (options: object) => AdminClient,
): Promise<string[]> {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((one) => one.name());
  if (words.length <= 1) return names;
  if (words[0] === 'help') return words.length === 2 ? names : [];
  const command = commands.find((one) => one.name() === words[0]);
  if (command === undefined) return [];
  const current = words.at(-1) ?? '';
  const { positional, options, open } = read(command, words.slice(1, -1));
  if (open !== undefined) return valuesOf(open);
  if (current.startsWith('-')) return command.options.flatMap(({ long }) => long ?? []);
  const argument = command.registeredArguments[positional.length] ?? command.registeredArguments.at(-1);
  if (
    argument === undefined ||
    (positional.length >= command.registeredArguments.length && !argument.variadic)
  )
    return [];
  const [service = ''] = positional;
  switch (argument.name()) {
    case 'name':
      return (await ask(options).services()).map(({ name }) => name);
    case 'instance':
      return (await ask(options).instances()).map(({ id }) => id.slice(0, 12));
    case 'revision': {
      const revisions = await ask(options).revisions(service);
      const wanted = command.name() === 'rm' ? revisions : revisions.filter(({ state }) => state === 'ready');
      return wanted.map(({ name }) => name);
    }
    case 'revision=percent': {
      if (current.includes('=')) return [];
      const revisions = await ask(options).revisions(service);
      return revisions.filter(({ state }) => state === 'ready').map(({ name }) => `${name}=`);
    }
    default:
      return [...(argument.argChoices ?? [])];
  }
}

/** Bash passes `a=b` as three words. */
function joined(words: readonly string[]): string[] {
  const whole: string[] = [];
  for (const [i, word] of words.entries()) {
    if (i > 0 && (word === '=' || (words[i - 1] === '=' && i > 1))) whole.push(`${whole.pop() ?? ''}${word}`);
    else whole.push(word);
  }
  return whole;
}

/** Parses the words before the current one: the command, its arguments, and the option whose value comes next. */
function read(command: Command, words: readonly string[]) {
  const positional: string[] = [];
  const options: Record<string, string> = {};
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      options[open.attributeName()] = word;
      open = undefined;
    } else if (word.startsWith('-')) {
      const [name, value] = word.split('=', 2);
      const option = command.options.find(({ long, short }) => name === long || name === short);
      if (option?.required !== true) continue;
      if (value === undefined) open = option;
      else options[option.attributeName()] = value;
    } else {
      positional.push(word);
    }
  }
  return { positional, options, open };
}

/** The values of an option, if they can be listed. */
function valuesOf(option: Option): string[] {
  if (/<(?:file|folder)>/.test(option.flags)) return [FILES];
  return [...valuesOfFlag(option.long)];
}
