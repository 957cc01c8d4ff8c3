import { Failure } from '@cless/model';
import type { Command } from 'commander';
import type { AdminClient } from '../client/client.ts';
import { newCommand, type Session, wholeNumber, withSession } from '../command.ts';
import { paint, shortId, show, span, table, tell } from '../output.ts';

export function instancesCommand(): Command {
  return newCommand('instances')
    .summary('list what runs')
    .description(
      'Lists instances: what state they are in, how many requests they answer, how long nobody has asked for them.',
    )
    .argument('[name]', 'only those of this service')
    .addHelpText('after', '\nExample:\n  cless instances web')
    .action(withSession(list));
}

async function list({ client, output }: Session, service: string | undefined): Promise<void> {
  const instances = await client.instances(service);
  show(output, instances, () => {
    const rows = instances.map(({ id, service: of, revision, state, requests, idleMs }) => [
      shortId(id),
      of,
      revision.replace(/^sha256:(.{12}).*/, '$1'),
      state,
      String(requests),
      idleMs === undefined ? '' : span(idleMs),
    ]);
    return table(['INSTANCE', 'SERVICE', 'REVISION', 'STATE', 'REQUESTS', 'IDLE'], rows, output.out);
  });
}

export function stopCommand(): Command {
  return newCommand('stop')
    .summary('stop an instance as soon as it is not in use')
    .description(
      'Stops an instance when the requests that it has are answered. The next request starts another.',
    )
    .argument('<instance>', 'its id, or the beginning of it')
    .addHelpText('after', '\nExample:\n  cless stop 3df9e56bc21a')
    .action(withSession(stop));
}

async function stop({ client, output }: Session, instance: string): Promise<void> {
  await client.stop(instance);
  show(output, { stopping: instance }, () => `${instance} stops as soon as it is not in use`);
}

interface LogOptions {
  readonly follow?: boolean;
  readonly lines: number;
}

export function logsCommand(): Command {
  return newCommand('logs')
    .summary('show what a service has written')
    .description(
      'Shows what the instances of a service (or one instance) have written last. With --follow, also what they write from then on, and what those write that start meanwhile.',
    )
    .argument('<name>', 'the service, or the id of an instance')
    .option('-f, --follow', 'go on')
    .option('-n, --lines <number>', 'how many of the last lines', wholeNumber(0, 100_000), 100)
    .addHelpText('after', '\nExamples:\n  cless logs web\n  cless logs -f web -n 0')
    .action(withSession(logs));
}

async function logs(
  { client, output }: Session,
  name: string,
  { follow = false, lines }: LogOptions,
): Promise<void> {
  const all = await client.instances();
  const ids = all.filter(({ service, id }) => service === name || id.startsWith(name)).map(({ id }) => id);
  // A service by convention is not registered.
  const last = ids.length > 0 ? undefined : await client.lastStart(name);
  const isService =
    all.some(({ service }) => service === name) ||
    last !== undefined ||
    (await client.service(name)) !== undefined;
  if (ids.length === 0 && !isService)
    throw new Failure('NOT_FOUND', `there is neither a service nor an instance ${name}`);

  const several = ids.length > 1 || (follow && isService);
  const write = (id: string, line: string) => {
    if (output.json) output.out.write(`${JSON.stringify({ instance: id, line })}\n`);
    else output.out.write(several ? `${paint(output.out, 'dim', shortId(id))} ${line}\n` : `${line}\n`);
  };
  const read = async (id: string, last: number) => {
    for await (const line of client.logs(id, { lines: last, follow })) write(id, line);
  };
  if (!follow) {
    if (ids.length === 0) {
      const failure = last?.failure;
      tell(
        output,
        `nothing of ${name} runs just now; ${failure === undefined ? `cless show ${name} says why a deploy failed` : `its last start failed: ${failure.message}`}`,
      );
      const words = lines === 0 ? [] : (failure?.lastLogLines.slice(-lines) ?? []);
      for (const line of words) output.out.write(output.json ? `${JSON.stringify({ line })}\n` : `${line}\n`);
    }
    for (const id of ids) await read(id, lines);
    return;
  }
  const reading = ids.map((id) => read(id, lines));
  if (isService) reading.push(readNewcomers(client, name, ids, (id) => read(id, 100_000)));
  await Promise.all(reading);
}

/** Follows the logs of instances that start from now on. */
async function readNewcomers(
  client: AdminClient,
  service: string,
  known: readonly string[],
  read: (id: string) => Promise<void>,
): Promise<void> {
  const seen = new Set(known);
  const reading: Promise<void>[] = [];
  for await (const { type, instance } of client.events({ service })) {
    if (type !== 'started' || instance === undefined || seen.has(instance)) continue;
    seen.add(instance);
    reading.push(read(instance));
  }
  await Promise.all(reading);
}
