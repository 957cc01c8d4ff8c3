import type { Problem } from '@cless/admin/schemas';
import { EXIT, hasCode, knownCodeOf, messageOf } from '@cless/model';
import { Command, CommanderError } from 'commander';
import { closestMatch } from 'leven';
import { type ConnectionOptions, connect } from './client/connection.ts';
import { AdminProblem, exitCodeOf } from './client/problem.ts';
import { applyCommand } from './commands/apply.ts';
import { completeCommand, completionCommand } from './commands/completion.ts';
import { deployCommand } from './commands/deploy.ts';
import { eventsCommand } from './commands/events.ts';
import { instancesCommand, logsCommand, stopCommand } from './commands/instances.ts';
import { listCommand, removeCommand, showCommand } from './commands/services.ts';
import { statusCommand } from './commands/status.ts';
import { rollbackCommand, trafficCommand } from './commands/traffic.ts';
import { flagOf } from './input/revision-flags.ts';
import { paint } from './output.ts';

/** `cless` with all its commands. */
export function createProgram(version: string): Command {
  const program = new Command('cless')
    .description('Deploys, shows and changes the services of a cLess host.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      `
Examples:
  cless deploy web --image golang-docker
  cless ls
  cless logs -f web

Exit codes: 0 done, 1 failed, 2 wrong input, 3 the proxy cannot be reached or refuses the token, 4 no such thing,
5 changed by somebody else, or taken.`,
    );
  for (const command of [
    deployCommand(),
    listCommand(),
    showCommand(),
    trafficCommand(),
    rollbackCommand(),
    logsCommand(),
    eventsCommand(),
    instancesCommand(),
    stopCommand(),
    removeCommand(),
    applyCommand(),
    statusCommand(),
    completionCommand(),
  ]) {
    program.addCommand(command);
  }
  program.addCommand(completeCommand(program), { hidden: true });
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}

/** Runs the program. Returns its exit code. */
export async function run(program: Command, args: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return explain(error, program, args);
  }
}

/** Prints what went wrong. Returns the exit code. */
async function explain(error: unknown, program: Command, args: readonly string[]): Promise<number> {
  // Commander has printed it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  const { stderr } = process;
  const say = (text: string) => stderr.write(`${paint(stderr, 'red', 'error:')} ${text}\n`);
  const command = program.commands.find((one) => one.name() === args[0]);
  const name = command?.processedArgs[0];
  const exitCode = exitCodeOf(error);
  const nearest = async () => (exitCode === EXIT.notFound ? await nearestService(command, name) : '');
  if (error instanceof AdminProblem) {
    const { problem } = error;
    const isNotFound = hasCode(error, 'SERVICE_NOT_FOUND');
    say(text(problem, command?.name() === 'deploy') + (isNotFound ? await nearest() : ''));
    for (const line of problem.lastLogLines ?? []) stderr.write(`  ${line}\n`);
  } else if (knownCodeOf(error) !== undefined) {
    say(messageOf(error) + (await nearest()));
  } else {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return exitCode;
}

function text({ detail, errors = [] }: Problem, asOptions: boolean): string {
  // In the style of all other messages.
  if (errors.length === 0)
    return detail.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()).replace(/\.$/, '');
  return errors
    .map((wrong) => `${asOptions ? optionOf(wrong.pointer) : wrong.pointer}: ${wrong.detail}`)
    .join('\n       ');
}

/** The option that sets the field. */
function optionOf(pointer: string): string {
  const [first = '', second] = pointer.replace(/^#\//, '').split('/');
  return (first === 'hosts' ? '--host' : flagOf(first, second)) ?? pointer;
}

async function nearestService(command: Command | undefined, name: unknown): Promise<string> {
  if (command === undefined || typeof name !== 'string') return '';
  try {
    const services = await connect(command.opts<ConnectionOptions>(), process.env).services();
    const names = services.map((service) => service.name);
    const nearest = closestMatch(name, names, { maxDistance: 3 });
    return nearest === undefined || nearest === name ? '' : `; did you mean ${nearest}?`;
  } catch {
    return '';
  }
}
