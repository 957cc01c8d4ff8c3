import { Argument, type Command } from 'commander';
import { connect } from '../client/connection.ts';
import { newCommand } from '../command.ts';
import { complete, FILES } from './complete.ts';

/*
 * Shell completion: the shell runs `cless complete -- WORDS`, which knows commands, options and names. File names are
 * left to the shell.
 */

/** How long the proxy may take to answer, in milliseconds: somebody has just pressed Tab. */
const PATIENCE_MS = 2_000;

const SCRIPTS = {
  bash: `_cless() {
  local IFS=$'\\n' found
  found=$(cless complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ $found == '${FILES}' ]]; then
    compopt -o default
    COMPREPLY=()
    return
  fi
  [[ $found == *= ]] && compopt -o nospace
  COMPREPLY=($found)
}
complete -F _cless cless
`,
  zsh: `#compdef cless
_cless() {
  local found="$(cless complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"
  case $found in
    '') return 1 ;;
    '${FILES}') _files ;;
    *=) compadd -S '' -- "\${(@f)found}" ;;
    *) compadd -- "\${(@f)found}" ;;
  esac
}
compdef _cless cless
`,
  fish: `function __cless_complete
  set -l found (cless complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found" = '${FILES}'
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c cless -f -a '(__cless_complete)'
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
      const found = await complete(program, words, (options) =>
        connect(options, process.env, AbortSignal.timeout(PATIENCE_MS)),
      );
      process.stdout.write(found.map((word) => `${word}\n`).join(''));
    });
}
