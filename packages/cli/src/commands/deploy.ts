import type { Revision, RevisionInput, Service, ServiceInput } from '@cless/admin/schemas';
import { Failure, hasCode } from '@cless/model';
import type { Command } from 'commander';
import { changeLines } from '../changes.ts';
import type { AdminClient, DeployOptions, Progress } from '../client/client.ts';
import { collect, newCommand, type Session, wholeNumber, withSession } from '../command.ts';
import { readRevision, revisionFlags } from '../input/revision-flags.ts';
import { paint, show, tell } from '../output.ts';

/** The options of the command besides those of the revision. */
interface Options {
  readonly image?: string;
  readonly host?: string[];
  readonly sticky?: boolean;
  readonly revisionHeader?: boolean;
  readonly traffic: number | false;
  readonly tag?: string;
  readonly pull?: boolean;
}

export function deployCommand(): Command {
  const command = newCommand('deploy')
    .summary('make a new revision and, once it is ready, give it the traffic')
    .description(
      'Makes a new revision of a service (and the service, if there is none), waits until it has been ready once, then moves the traffic to it. What is not said is default: nothing is taken over from the revision before, but the hosts.',
    )
    .argument('<name>', 'the service');
  for (const flag of revisionFlags()) {
    command.addOption(flag);
    if (flag.long === '--image')
      command.option(
        '--host <host>',
        'a host that it answers to, also *.parent; again for more (default: its name)',
        collect,
      );
  }
  command
    .option('--sticky', 'clients stay with the revision that they got first')
    .option('--revision-header', 'requests may choose a revision by X-Cless-Revision')
    .option('--traffic <percent>', 'how much it gets; the others share the rest', wholeNumber(0, 100))
    .option('--no-traffic', 'it gets none yet')
    .option('--tag <tag>', 'a hostname of its own: TAG--NAME.domain')
    .option('--pull', 'pull the image first; nothing else ever pulls')
    .addHelpText(
      'after',
      `
Examples:
  cless deploy web --image golang-docker
  cless deploy web --image web:2 --traffic 10 --tag canary     # try it on every tenth request
  DB_URL=… cless deploy shop --image shop:1 --host shop.example --secret DB_URL --memory 256MiB`,
    )
    .action(withSession(deploy));
  const said = new Set<string>();
  for (const option of ['traffic', 'no-traffic']) {
    command.on(`option:${option}`, () => {
      if (said.add(option).size > 1)
        command.error('error: of --traffic and --no-traffic only one is allowed');
    });
  }
  return command;
}

async function deploy({ client, output }: Session, name: string, options: Options): Promise<void> {
  if (options.image === undefined)
    throw new Failure('USAGE', '--image is missing; like: cless deploy web --image web:1');
  const revision = readRevision(options, process.env);
  const before = await client.service(name);
  const wanted = toService(options, before);
  const given = { traffic: options.traffic === false ? 0 : options.traffic, tag: options.tag };
  // Asked before anything is created, so that bad input leaves nothing behind. An image that is yet to be pulled
  // cannot be checked.
  const changes = options.pull ? [] : await client.preview(name, revision, given);
  if (before !== undefined) for (const line of changeLines(changes, output.err)) tell(output, line);
  await putService(client, name, wanted, before);

  const beganMs = performance.now();
  const deployed = await deployRevision(
    client,
    name,
    revision,
    { ...given, pull: options.pull },
    ({ message }) => {
      const seconds = ((performance.now() - beganMs) / 1_000).toFixed(2).padStart(6);
      tell(output, `${paint(output.err, 'dim', `${seconds} s`)}  ${message}`);
    },
  );
  show(output, deployed, () => paint(output.out, 'green', `${deployed.name} is ready`));
}

/** Deploys. If this command is interrupted, the proxy goes on with the deploy, and the error says so. */
export async function deployRevision(
  client: AdminClient,
  service: string,
  revision: RevisionInput,
  options: DeployOptions,
  onProgress: (progress: Progress) => void,
): Promise<Revision & { readonly created: boolean }> {
  let pulling = false;
  try {
    return await client.deploy(service, revision, options, (progress) => {
      pulling = progress.step === 'pulling';
      onProgress(progress);
    });
  } catch (error) {
    const goesOn = pulling
      ? 'the pull is given up, and nothing was made'
      : `the deploy of ${service} goes on: cless show ${service}`;
    if (hasCode(error, 'INTERRUPTED')) throw new Failure('INTERRUPTED', `${error.message}; ${goesOn}`);
    if (hasCode(error, 'BROKEN_OFF'))
      throw new Failure(
        'BROKEN_OFF',
        `${error.message}; the deploy of ${service} may go on: cless show ${service}`,
      );
    throw error;
  }
}

/** Creates the service, or changes it if it differs. */
export async function putService(
  client: AdminClient,
  name: string,
  wanted: ServiceInput,
  before: Service | undefined,
): Promise<void> {
  if (before === undefined) await client.putService(name, wanted, 'absent');
  else await client.putService(name, wanted, before.version);
}

function toService({ host, sticky, revisionHeader }: Options, before: Service | undefined): ServiceInput {
  return {
    hosts: host ?? before?.hosts ?? [],
    sticky: sticky ?? before?.sticky ?? false,
    revisionHeader: revisionHeader ?? before?.revisionHeader ?? false,
    wakeFilter: before?.wakeFilter as ServiceInput['wakeFilter'],
  };
}
