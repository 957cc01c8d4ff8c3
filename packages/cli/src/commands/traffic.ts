import type { Revision, Service, Traffic } from '@cless/admin/schemas';
import { Failure } from '@cless/model';
import type { Command } from 'commander';
import { closestMatch } from 'leven';
import { collect, newCommand, type Session, withSession } from '../command.ts';
import { show } from '../output.ts';
import { knownService, trafficText } from './services.ts';

interface Options {
  readonly tag?: string[];
  readonly untag?: string[];
}

export function trafficCommand(): Command {
  return newCommand('traffic')
    .summary('show or split the traffic of a service')
    .description(
      'Shows the traffic of a service, or splits it over revisions, at once for the next request. A revision is named in full, by its number, or as latest: the newest that was ready.',
    )
    .argument('<name>', 'the service')
    .argument('[revision=percent...]', 'who gets how much, 100 together')
    .option('--tag <tag=revision>', 'a hostname of its own for a revision; again for more', collect)
    .option('--untag <tag>', 'take a tag away; again for more', collect)
    .addHelpText(
      'after',
      `
Examples:
  cless traffic web
  cless traffic web latest=10 web-00001=90
  cless traffic web 2=100 --untag canary`,
    )
    .action(withSession(traffic));
}

async function traffic(
  session: Session,
  name: string,
  given: string[],
  { tag = [], untag = [] }: Options,
): Promise<void> {
  const { client, output } = session;
  const service = await knownService(session, name);
  if (given.length === 0 && tag.length === 0 && untag.length === 0) {
    show(output, service.traffic, () => describe(service));
    return;
  }
  const revisions = await client.revisions(name);
  const tags = { ...service.traffic.tags };
  for (const entry of tag) {
    const [label = '', revision] = entry.split('=', 2);
    if (revision === undefined)
      throw new Failure('USAGE', `--tag: ${JSON.stringify(entry)} is not allowed; allowed is TAG=REVISION`);
    tags[label] = findRevision(name, revision, revisions);
  }
  for (const label of untag) {
    if (!(label in tags))
      throw new Failure(
        'USAGE',
        `--untag: ${name} has no tag ${label}; it has ${Object.keys(tags).join(', ') || 'none'}`,
      );
    delete tags[label];
  }
  const splits =
    given.length === 0 ? service.traffic.splits : given.map((entry) => readSplit(name, entry, revisions));
  const sum = splits.reduce((all, { percent }) => all + percent, 0);
  if (sum !== 100 && splits.length > 0)
    throw new Failure('USAGE', `the percentages sum up to ${sum}; allowed is 100`);
  const now = await client.setTraffic(
    name,
    { splits: splits.filter(({ percent }) => percent > 0), tags },
    service.version,
  );
  show(output, now, () => describe({ ...service, traffic: now }));
}

export function rollbackCommand(): Command {
  return newCommand('rollback')
    .summary('give all traffic to an earlier revision')
    .description(
      'Gives all traffic to a revision that was ready once: the one named, or the one before the newest that serves.',
    )
    .argument('<name>', 'the service')
    .argument('[revision]', 'the revision, in full or by its number')
    .addHelpText('after', '\nExamples:\n  cless rollback web\n  cless rollback web web-00003')
    .action(withSession(rollback));
}

async function rollback(session: Session, name: string, wanted: string | undefined): Promise<void> {
  const { client, output } = session;
  const service = await knownService(session, name);
  const revisions = await client.revisions(name);
  const revision =
    wanted === undefined ? previous(service, revisions) : findRevision(name, wanted, revisions);
  const traffic: Traffic = { ...service.traffic, splits: [{ revision, percent: 100 }] };
  const now = await client.setTraffic(name, traffic, service.version);
  show(output, now, () => describe({ ...service, traffic: now }));
}

/** The newest ready revision older than the newest one that serves: where to roll back to, also from a canary. */
function previous({ name, traffic }: Service, revisions: readonly Revision[]): string {
  const serving = new Set(traffic.splits.map(({ revision }) => revision));
  const newest = revisions.findIndex(({ name: revision }) => serving.has(revision));
  const found = revisions.slice(newest + 1).find(({ state }) => state === 'ready');
  if (found === undefined)
    throw new Failure('REVISION_NOT_FOUND', `${name} has no earlier revision that was ready`);
  return found.name;
}

function readSplit(
  service: string,
  entry: string,
  revisions: readonly Revision[],
): Traffic['splits'][number] {
  const [, revision, percent] = /^([^=]+)=(\d{1,3})%?$/.exec(entry) ?? [];
  if (revision === undefined || Number(percent) > 100) {
    throw new Failure(
      'USAGE',
      `${JSON.stringify(entry)} is not allowed; allowed is REVISION=PERCENT, like ${service}-00001=100`,
    );
  }
  return { revision: findRevision(service, revision, revisions), percent: Number(percent) };
}

function findRevision(service: string, wanted: string, revisions: readonly Revision[]): string {
  const found = revisions.find(
    ({ name, state }) =>
      name === wanted ||
      (wanted === 'latest' && state === 'ready') ||
      (/^\d+$/.test(wanted) && name === numbered(service, wanted)),
  );
  if (found !== undefined) return found.name;
  const names = revisions.map(({ name }) => name);
  const nearest = closestMatch(wanted, names, { maxDistance: 3 });
  throw new Failure(
    'REVISION_NOT_FOUND',
    `${service} has no revision ${wanted}; ${nearest === undefined ? '' : `did you mean ${nearest}? `}it has ${names.slice(0, 10).join(', ') || 'none'}`,
  );
}

function numbered(service: string, number: string): string {
  return `${service}-${number.padStart(5, '0')}`;
}

function describe(service: Service): string {
  const tags = Object.entries(service.traffic.tags).map(
    ([tag, revision]) => `${tag}--${service.name} → ${revision}`,
  );
  return [trafficText(service), ...tags].join('\n');
}
