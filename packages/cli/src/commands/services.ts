import type { Instance, LastStart, RemovedVolumes, Service } from '@cless/admin/schemas';
import { Failure } from '@cless/model';
import type { Command } from 'commander';
import { newCommand, type Session, withSession } from '../command.ts';
import { ago, paint, show, table } from '../output.ts';

export function listCommand(): Command {
  return newCommand('ls')
    .summary('list services')
    .description('Lists services with their hosts, their traffic and what runs of them.')
    .addHelpText('after', '\nExamples:\n  cless ls\n  cless ls --json | jq -r .[].name')
    .action(withSession(list));
}

async function list({ client, output }: Session): Promise<void> {
  const [services, instances] = await Promise.all([client.services(), client.instances()]);
  const registered = new Set(services.map(({ name }) => name));
  const byConvention = [...new Set(instances.map(({ service }) => service))].filter(
    (name) => !registered.has(name),
  );
  show(output, services, () => {
    const rows = services.map((service) => [
      service.name,
      service.hosts.join(' ') || `${service.name}.*`,
      trafficText(service),
      statesOf(service.name, instances),
    ]);
    for (const name of byConvention.sort())
      rows.push([name, `${name}.*`, 'by convention', statesOf(name, instances)]);
    return table(['NAME', 'HOSTS', 'TRAFFIC', 'INSTANCES'], rows, output.out);
  });
}

function statesOf(service: string, instances: readonly Instance[]): string {
  const its = instances.filter(({ service: of }) => of === service);
  return its.map(({ state }) => state).join(' ') || 'cold';
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
  const [service, last] = await Promise.all([client.service(name), client.lastStart(name)]);
  if (service === undefined && last?.byConvention) return showConvention(session, last);
  if (service === undefined) throw noService(name);
  const revisions = await client.revisions(name);
  show(output, { ...service, revisions, lastStart: last }, () => {
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
      ...(revisions.some(({ name: of, state }) => of === last?.revision && state === 'failed')
        ? []
        : failureOf(last, output.out)),
    ].join('\n');
  });
}

/** Shows a service by convention, which is not registered. */
async function showConvention({ client, output }: Session, last: LastStart): Promise<void> {
  const { service, revision, image, at } = last;
  const instances = await client.instances(service);
  show(output, { name: service, lastStart: last, instances }, () =>
    [
      `${paint(output.out, 'bold', service)}  ${service}.*  by convention: image ${image ?? revision}`,
      `${statesOf(service, instances)}; started last ${ago(at)}, revision ${revision.replace(/^sha256:(.{12}).*/, '$1')}`,
      ...failureOf(last, output.out),
    ].join('\n'),
  );
}

/** Why the last start failed and its last output; empty if it did not fail. */
function failureOf(last: LastStart | undefined, out: NodeJS.WriteStream): string[] {
  if (last?.failure === undefined) return [];
  const { message, lastLogLines } = last.failure;
  return [
    '',
    paint(out, 'red', `the last start failed ${ago(last.at)}: ${message}`),
    ...lastLogLines.map((line) => `  ${line}`),
  ];
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
    if (volumes) throw new Failure('USAGE', '--volumes: volumes are the service’s, and go with it only');
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

/** @throws with code `SERVICE_NOT_FOUND`, if there is none, suggesting the nearest name */
export async function knownService({ client }: Session, name: string): Promise<Service> {
  const service = await client.service(name);
  if (service === undefined) throw noService(name);
  return service;
}

function noService(name: string): Failure {
  return new Failure('SERVICE_NOT_FOUND', `there is no service ${name}`);
}

export function trafficText({ traffic: { splits } }: Service): string {
  return splits.map(({ revision, percent }) => `${revision} ${percent} %`).join(', ') || 'none';
}
