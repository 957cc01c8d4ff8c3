import { Argument, type Command } from 'commander';
import { newCommand } from './command.ts';
import { connect } from './connection.ts';

/*
 * Completion: the shell asks `cless complete -- WORDS`, which knows the commands, their options and the services.
 */

const SCRIPTS = {
  bash: `_cless() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(cless complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _cless cless
`,
  zsh: `#compdef cless
_cless() {
  local -a words_found
  words_found=("\${(@f)$(cless complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a words_found
}
compdef _cless cless
`,
  fish: `complete -c cless -f -a '(cless complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const;

export function completionCommand(): Command {
  return newCommand('completion')
    .summary('print what a shell needs to complete commands, options and services')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(cless completion bash)\n  cless completion fish > ~/.config/fish/completions/cless.fish',
    )
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell]);
    });
}

export function completeCommand(program: Command): Command {
  return newCommand('complete')
    .argument('[words...]')
    .action(async (words: string[]) => {
      const found = await complete(program, words, async () => {
        const services = await connect({}, process.env).services();
        return services.map(({ name }) => name);
      });
      process.stdout.write(found.map((word) => `${word}\n`).join(''));
    });
}

/** What the last of the words may become. */
async function complete(
  program: Command,
  words: readonly string[],
  services: () => Promise<string[]>,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const commands = program.createHelp().visibleCommands(program);
  const command = commands.find((one) => one.name() === words[0]);
  const startsSo = (word: string) => word.startsWith(current);
  if (words.length <= 1 || command === undefined) return commands.map((one) => one.name()).filter(startsSo);
  if (current.startsWith('-')) {
    return command.options.flatMap(({ long }) => (long ? [long] : [])).filter(startsSo);
  }
  const [argument] = command.registeredArguments;
  if (argument?.name() === 'name') return (await services().catch(() => [])).filter(startsSo);
  return (argument?.argChoices ?? []).filter(startsSo);
}
