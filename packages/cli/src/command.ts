import { Failure } from '@cless/model';
import { Command, InvalidArgumentError } from 'commander';
import type { AdminClient } from './client/client.ts';
import { type ConnectionOptions, connect } from './client/connection.ts';
import type { Output } from './output.ts';

/** What a command gets to work with. */
export interface Session {
  readonly client: AdminClient;
  readonly output: Output;
  /** Aborted at Ctrl-C; the client's requests then end by themselves. */
  readonly signal: AbortSignal;
}

/** A command with the options that all commands have. */
export function newCommand(name: string): Command {
  return new Command(name)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError(`(cless ${name} --help says more)`)
    .option('--json', 'give the result as JSON')
    .option('--admin <url>', 'where the admin API is (default: what the proxy on this host says)')
    .option('--token <token>', 'the token of the admin API (default: the local one)')
    .option('--state-dir <folder>', 'the state directory of the proxy on this host');
}

/** Wraps an action so that it gets a session made from the command's options. */
export function withSession<A extends unknown[]>(
  action: (session: Session, ...args: A) => Promise<void>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const command = args.pop() as Command;
    const options = command.opts<ConnectionOptions & { json?: boolean }>();
    if (command.args.includes(''))
      throw new Failure('USAGE', 'an argument is empty; allowed is a name or an id');
    const interrupted = new AbortController();
    // With `once`, a second Ctrl-C ends the process in the default way.
    const interrupt = () => interrupted.abort(new Failure('INTERRUPTED', 'interrupted'));
    process.once('SIGINT', interrupt);
    try {
      const session: Session = {
        client: connect(options, process.env, interrupted.signal),
        output: { json: options.json === true, out: process.stdout, err: process.stderr },
        signal: interrupted.signal,
      };
      await action(session, ...(args as A));
    } finally {
      process.off('SIGINT', interrupt);
    }
  };
}

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** For options that are whole numbers. */
export function wholeNumber(from: number, to: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d{1,15}$/.test(value) || number < from || number > to) {
      throw new InvalidArgumentError(`Allowed is a whole number from ${from} to ${to}.`);
    }
    return number;
  };
}
