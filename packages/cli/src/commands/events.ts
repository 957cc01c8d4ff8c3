import type { Command } from 'commander';
import type { AdminEvent } from '../client/client.ts';
import { newCommand, type Session, withSession } from '../command.ts';
import { paint, type Style, tell } from '../output.ts';

export function eventsCommand(): Command {
  return newCommand('events')
    .summary('follow what happens')
    .description(
      'Follows what happens: starts, ready, paused, stopped, deploys, and failures with their reasons. Of a service it says first why its last start failed.',
    )
    .argument('[name]', 'only what happens to this service')
    .addHelpText('after', '\nExamples:\n  cless events\n  cless events web --json')
    .action(withSession(events));
}

async function events({ client, output }: Session, service: string | undefined): Promise<void> {
  const failure = service === undefined ? undefined : (await client.lastStart(service))?.failure;
  if (failure !== undefined) tell(output, `the last start of ${service} failed: ${failure.message}`);
  for await (const event of client.events({ service }))
    output.out.write(output.json ? `${JSON.stringify(event)}\n` : `${line(event, output.out)}\n`);
}

function line(
  { time, type, service = '', durationMs, reason, message, exitCode, oomKilled, lastLogLines }: AdminEvent,
  out: NodeJS.WriteStream,
): string {
  const facts = [
    typeof durationMs === 'number' ? `${Math.round(durationMs)} ms` : undefined,
    typeof reason === 'string' ? `(${reason})` : undefined,
    typeof message === 'string' ? message : howItEnded(exitCode, oomKilled),
  ].filter((fact) => fact !== undefined);
  const lines = Array.isArray(lastLogLines) ? lastLogLines.map((one) => `\n    ${one}`).join('') : '';
  const clock = paint(out, 'dim', new Date(time).toTimeString().slice(0, 8));
  return `${clock}  ${service.padEnd(16)}  ${paint(out, styleOf(type), type)}  ${facts.join(' ')}${lines}`.trimEnd();
}

function howItEnded(exitCode: unknown, oomKilled: unknown): string | undefined {
  if (oomKilled === true) return 'out of memory';
  return typeof exitCode === 'number' ? `with code ${exitCode}` : undefined;
}

function styleOf(type: string): Style {
  if (type.endsWith('failed') || ['exited', 'out-of-memory', 'runtime-lost'].includes(type)) return 'red';
  return type === 'ready' || type === 'deployed' ? 'green' : 'cyan';
}
