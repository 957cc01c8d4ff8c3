import type { RemovedVolumes, Service } from '@cless/admin/schemas';
import type { Command } from 'commander';
import { newCommand, type Session, withSession } from './command.ts';
import { ago, paint, show, table } from './output.ts';
import { CliError, EXIT } from './problem.ts';

export function listCommand(): Command {
  return newCommand('ls')
    .summary('list services')
    .description('Lists services with their hosts, their traffic and what runs of them.')
    .addHelpText('after', '\nExamples:\n  cless ls\n  cless ls --json | jq -r .[].name')
    .action(withSession(list));
}

async function list({ client, output }: Session): Promise<void> {
  const [services, instances] = await Promise.all([client.services(), client.instances()]);
  show(output, services, () => {
    const rows = services.map((service) => [
      service.name,
      service.hosts.join(' ') || `${service.name}.*`,
      trafficText(service),
      instances
        .filter(({ service: of }) => of === service.name)
        .map(({ state }) => state)
        .join(' ') || 'cold',
    ]);
    return table(['NAME', 'HOSTS', 'TRAFFIC', 'INSTANCES'], rows, output.out);
  });
}

export function showCommand(): Command {
  return newCommand('show')
    .summary('show a service with its revisions')
    .description('Shows a service: its hosts, its traffic, its tags, and its revisions with why they failed.')
    .argument('<name>', 'the service')
    .addHelpText('after', '\nExample:\n  cless show web')
    .action(withSession(showService));
}

async function showService(session: Session, name: string): Promise<void> {
  const { client, output } = session;
  const service = await knownService(session, name);
  const revisions = await client.revisions(name);
  show(output, { ...service, revisions }, () => {
    const { splits, tags } = service.traffic;
    const rows = revisions.map(({ name: revision, state, spec, createdAt }) => [
      revision,
      state,
      spec.image,
      `${splits.find((split) => split.revision === revision)?.percent ?? 0} %`,
      Object.entries(tags)
        .filter(([, tagged]) => tagged === revision)
        .map(([tag]) => tag)
        .join(' '),
      ago(createdAt),
    ]);
    const failures = revisions
      .filter(({ state }) => state === 'failed')
      .slice(0, 1)
      .flatMap(({ name: revision, reason = '', lastLogLines = [] }) => [
        '',
        paint(output.out, 'red', `${revision} failed: ${reason}`),
        ...lastLogLines.map((line) => `  ${line}`),
      ]);
    return [
      `${paint(output.out, 'bold', service.name)}  ${service.hosts.join(' ') || `${service.name}.*`}`,
      ...(service.sticky ? ['clients stay with their revision'] : []),
      ...(service.revisionHeader ? ['X-Cless-Revision chooses a revision'] : []),
      '',
      table(['REVISION', 'STATE', 'IMAGE', 'TRAFFIC', 'TAGS', 'MADE'], rows, output.out),
      ...failures,
    ].join('\n');
  });
}

export function removeCommand(): Command {
  return newCommand('rm')
    .summary('remove a service, or one revision of it')
    .description(
      'Removes a service with all its revisions, or one revision that gets no traffic. Instances stop as soon as they are not in use.',
    )
    .argument('<name>', 'the service')
    .argument('[revision]', 'only this revision')
    .option('--volumes', 'the volumes that its images declare, too, with all that is in them')
    .addHelpText('after', '\nExamples:\n  cless rm web\n  cless rm web --volumes\n  cless rm web web-00003')
    .action(withSession(remove));
}

async function remove(
  { client, output }: Session,
  name: string,
  revision: string | undefined,
  { volumes = false }: { readonly volumes?: boolean },
): Promise<void> {
  if (revision !== undefined) {
    if (volumes) throw new CliError('--volumes: volumes are the service’s, and go with it only');
    await client.removeRevision(name, revision);
    show(output, { removed: revision }, () => `${revision} is removed`);
    return;
  }
  const { removed, left } = await client.removeService(name, { volumes });
  const list = (all: RemovedVolumes['left']) => all.map((one) => `${one.target} (${one.name})`).join(', ');
  show(output, { removed: name, volumes: { removed, left } }, () =>
    [
      removed.length > 0 ? `${name} is removed, with its volumes ${list(removed)}` : `${name} is removed`,
      ...(left.length === 0
        ? []
        : volumes
          ? [`still in use, so not removed: ${list(left)}`]
          : [`its volumes stay: ${list(left)}`, `cless rm ${name} --volumes removes them`]),
    ].join('\n'),
  );
}

/** @throws {CliError} if there is none, with the nearest name that there is */
export async function knownService({ client }: Session, name: string): Promise<Service> {
  const service = await client.service(name);
  if (service === undefined) throw new CliError(`there is no service ${name}`, EXIT.notFound);
  return service;
}

export function trafficText({ traffic: { splits } }: Service): string {
  return splits.map(({ revision, percent }) => `${revision} ${percent} %`).join(', ') || 'none';
}
