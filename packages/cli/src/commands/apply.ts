import type { Change, RevisionInput, Service, ServiceInput } from '@cless/admin/schemas';
import { ServiceInput as ServiceInputSchema } from '@cless/admin/schemas';
import { Failure } from '@cless/model';
import type { Command } from 'commander';
import { changeLines } from '../changes.ts';
import { newCommand, type Session, withSession } from '../command.ts';
import { readServiceFile } from '../input/service-file.ts';
import { paint, show, tell } from '../output.ts';
import { deployRevision, putService } from './deploy.ts';

interface Options {
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

/** What is to be done for one service. */
interface Step {
  readonly service: string;
  readonly action: 'create' | 'change' | 'remove' | 'none';
  readonly changes: readonly Change[];
}

export function applyCommand(): Command {
  return newCommand('apply')
    .summary('make services what a file says')
    .description(
      'Makes services what a file says, shows the difference first, and does nothing where there is none. A secret written as $' +
        '{NAME} is taken from the environment.',
    )
    .option('-f, --file <file>', 'the file, like cless.yaml; - for standard input')
    .option('--dry-run', 'only show the difference')
    .option('--prune', 'remove the services that the file does not name')
    .addHelpText('after', '\nExamples:\n  cless apply -f cless.yaml --dry-run\n  cless apply -f cless.yaml')
    .action(withSession(apply));
}

async function apply(session: Session, { file, dryRun = false, prune = false }: Options): Promise<void> {
  const { client, output, signal } = session;
  if (file === undefined) throw new Failure('USAGE', '--file is missing; like: cless apply -f cless.yaml');
  const { services } = await readServiceFile(file, { env: process.env, signal });
  const before = new Map((await client.services()).map((service) => [service.name, service]));

  const steps: Step[] = [];
  for (const [name, wanted] of Object.entries(services)) {
    const { definition, revision } = split(wanted);
    const changes = [
      ...definitionChanges(before.get(name), definition),
      ...(await client.preview(name, revision, { ifChanged: true })),
    ];
    const action = before.has(name) ? (changes.length > 0 ? 'change' : 'none') : 'create';
    steps.push({ service: name, action, changes });
  }
  if (prune) {
    for (const name of before.keys())
      if (!(name in services)) steps.push({ service: name, action: 'remove', changes: [] });
  }
  for (const { service, action, changes } of steps) {
    tell(output, describe(service, action, output.err));
    for (const line of changeLines(changes, output.err)) tell(output, line);
  }

  if (!dryRun) {
    for (const { service, action } of steps) {
      const wanted = services[service];
      if (action === 'remove') await client.removeService(service);
      if (wanted === undefined) continue;
      const { definition, revision } = split(wanted);
      // Even if nothing changes here: a deploy that failed before is tried again.
      await putService(client, service, definition, before.get(service));
      await deployRevision(client, service, revision, { ifChanged: true }, ({ step, message }) => {
        if (step !== 'unchanged') tell(output, `  ${service}: ${message}`);
      });
    }
  }
  const done = steps.filter(({ action }) => action !== 'none').length;
  show(output, { dryRun, steps }, () =>
    done === 0
      ? 'nothing to do'
      : `${done} ${done === 1 ? 'service' : 'services'} ${dryRun ? 'to be changed' : 'changed'}`,
  );
}

function split(wanted: ServiceInput & RevisionInput): { definition: ServiceInput; revision: RevisionInput } {
  const { hosts, revisionHeader, sticky, wakeFilter, ...revision } = wanted;
  return { definition: { hosts, revisionHeader, sticky, wakeFilter }, revision };
}

function definitionChanges(before: Service | undefined, wanted: ServiceInput): Change[] {
  const empty = ServiceInputSchema.parse({});
  const fields = ['hosts', 'revisionHeader', 'sticky', 'wakeFilter'] as const;
  return fields.flatMap((field): Change[] => {
    const from = before === undefined ? empty[field] : before[field];
    const to = wanted[field];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [{ field, ...(before !== undefined && { from }), to }];
  });
}

function describe(service: string, action: Step['action'], stream: NodeJS.WriteStream): string {
  switch (action) {
    case 'create':
      return paint(stream, 'green', `+ ${service}`);
    case 'change':
      return paint(stream, 'yellow', `~ ${service}`);
    case 'remove':
      return paint(stream, 'red', `- ${service}`);
    case 'none':
      return paint(stream, 'dim', `= ${service}`);
  }
}
