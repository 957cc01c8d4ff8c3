import type { Command } from 'commander';
import { newCommand, type Session, withSession } from '../command.ts';
import { paint, show, span } from '../output.ts';

export function statusCommand(): Command {
  return newCommand('status')
    .summary('say how the proxy is')
    .description('Says whether the proxy runs, whether it reaches its runtime, and how much it has to do.')
    .addHelpText('after', '\nExample:\n  cless status')
    .action(withSession(status));
}

async function status({ client, output }: Session): Promise<void> {
  const status = await client.status();
  show(output, status, () => {
    const { version, runtime, runtimeConnected, services, instances, waiting, uptimeMs } = status;
    const states = Object.entries(instances).map(([state, count]) => `${count} ${state}`);
    return [
      `cless ${version}, up for ${span(uptimeMs)}`,
      `runtime ${runtime}: ${runtimeConnected ? paint(output.out, 'green', 'connected') : paint(output.out, 'red', 'cannot be reached')}`,
      `${services} services registered, instances: ${states.join(', ') || 'none'}, requests waiting: ${waiting}`,
    ].join('\n');
  });
}
