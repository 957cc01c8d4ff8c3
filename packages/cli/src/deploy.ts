import type { Revision, RevisionInput, Service, ServiceInput } from '@cless/admin/schemas';
import { Failure, hasCode } from '@cless/model';
import type { Command } from 'commander';
import { changeLines } from './changes.ts';
import type { AdminClient, DeployOptions, Progress } from './client.ts';
import { collect, newCommand, type Session, wholeNumber, withSession } from './command.ts';
import { readEnvFile, readKeyValues } from './key-values.ts';
import { paint, show, tell } from './output.ts';
import { readVolume, VOLUME_FORM } from './volume.ts';

interface Options {
  readonly image?: string;
  readonly host?: string[];
  readonly port?: number;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly secret?: string[];
  readonly secretFile?: string[];
  readonly entrypoint?: string[];
  readonly arg?: string[];
  readonly user?: string;
  readonly volume?: string[];
  readonly network?: string[];
  readonly memory?: string;
  readonly cpus?: string;
  readonly pids?: number;
  readonly hardening?: RevisionInput['hardening'];
  readonly relax?: NonNullable<RevisionInput['relaxations']>;
  readonly readyPath?: string;
  readonly readyStatus?: string[];
  readonly readyTcp?: boolean;
  readonly readyTimeout?: string;
  readonly pauseAfter?: string;
  readonly stopAfter?: string;
  readonly rollout?: RevisionInput['rollout'];
  readonly responseTimeout?: string;
  readonly stopGrace?: string;
  readonly sticky?: boolean;
  readonly revisionHeader?: boolean;
  readonly traffic: number | false;
  readonly tag?: string;
  readonly pull?: boolean;
}

/** Which option a field of the API comes from. */
export const OPTION_OF: Readonly<Record<string, string>> = {
  image: '--image',
  hosts: '--host',
  port: '--port',
  env: '--env',
  secrets: '--secret',
  entrypoint: '--entrypoint',
  command: '--arg',
  user: '--user',
  volumes: '--volume',
  networks: '--network',
  'limits/memory': '--memory',
  'limits/cpus': '--cpus',
  'limits/pids': '--pids',
  hardening: '--hardening',
  relaxations: '--relax',
  'readiness/path': '--ready-path',
  'readiness/statuses': '--ready-status',
  'readiness/timeout': '--ready-timeout',
  'idle/pauseAfter': '--pause-after',
  'idle/stopAfter': '--stop-after',
  rollout: '--rollout',
  'timeouts/response': '--response-timeout',
  'timeouts/stop': '--stop-grace',
};

export function deployCommand(): Command {
  const command = newCommand('deploy')
    .summary('make a new revision and, once it is ready, give it the traffic')
    .description(
      'Makes a new revision of a service (and the service, if there is none), waits until it has been ready once, then moves the traffic to it. What is not said is default: nothing is taken over from the revision before, but the hosts.',
    )
    .argument('<name>', 'the service')
    .option('--image <image>', 'an image on this host, by tag, digest or id')
    .option(
      '--host <host>',
      'a host that it answers to, also *.parent; again for more (default: its name)',
      collect,
    )
    .option(
      '--port <port>',
      'where the container listens (default: what the image exposes, else 8080)',
      wholeNumber(1, 65535),
    )
    .option('-e, --env <name=value>', 'a variable; NAME alone takes it from here; again for more', collect)
    .option('--env-file <file>', 'variables as lines NAME=VALUE', collect)
    .option(
      '--secret <name=value>',
      'as --env, but never shown again; better NAME alone than in the history',
      collect,
    )
    .option('--secret-file <file>', 'secrets as lines NAME=VALUE', collect)
    .option('--entrypoint <part>', 'instead of the image’s entrypoint; again for more parts', collect)
    .option('--arg <argument>', 'instead of the image’s command; again for more', collect)
    .option('--user <user[:group]>', 'whom the container runs as')
    .option(
      '-v, --volume <source:target[:ro]>',
      'a named volume, or a folder that the operator allows',
      collect,
    )
    .option('--network <name>', 'a network to join besides its own; again for more', collect)
    .option('--memory <amount>', 'like 256MiB (default: 512MiB)')
    .option('--cpus <number>', 'like 0.5 (default: 1)')
    .option('--pids <number>', 'processes and threads (default: 256)', wholeNumber(1, 4_000_000))
    .option('--hardening <level>', 'baseline, restricted or off')
    .option('--relax <part>', 'a part of the hardening to give up; again for more', collect)
    .option('--ready-path <path>', 'what is asked to find out that it is ready, and is to answer 2xx or 3xx')
    .option(
      '--ready-status <statuses>',
      'which answers count, like 200-299,404 (default: 200-399 of --ready-path, else all below 500)',
      collect,
    )
    .option('--ready-tcp', 'it is ready when it takes connections')
    .option('--ready-timeout <duration>', 'how long it may take to get ready, like 30s')
    .option('--pause-after <duration>', 'idle until it is paused, like 60s; never')
    .option('--stop-after <duration>', 'idle until it is stopped, like 15m; never')
    .option(
      '--rollout <how>',
      'replace: the one before is stopped first; overlap: both run for a while (default: replace if it writes a volume)',
    )
    .option('--response-timeout <duration>', 'how long it may take to begin an answer')
    .option('--stop-grace <duration>', 'from SIGTERM to SIGKILL')
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
  const revision = toRevision(options);
  const before = await client.service(name);
  const wanted = toService(options, before);
  const given = { traffic: options.traffic === false ? 0 : options.traffic, tag: options.tag };
  // Before anything is made: what is wrong leaves nothing behind. What is to be pulled is not known yet.
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

/** Deploys; what breaks it off here leaves it to the proxy, and the error says so. */
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

/** Creates or changes the service, if it is not as it should be. */
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

function toRevision(options: Options): RevisionInput {
  if (options.image === undefined)
    throw new Failure('USAGE', '--image is missing; like: cless deploy web --image web:1');
  const env = {
    ...Object.assign({}, ...(options.envFile ?? []).map((file) => readEnvFile('--env-file', file))),
    ...readKeyValues('--env', options.env ?? [], process.env),
  };
  const secrets = {
    ...Object.assign({}, ...(options.secretFile ?? []).map((file) => readEnvFile('--secret-file', file))),
    ...readKeyValues('--secret', options.secret ?? [], process.env),
  };
  return {
    image: options.image,
    port: options.port,
    env,
    secrets,
    entrypoint: options.entrypoint,
    command: options.arg,
    user: options.user,
    volumes: options.volume?.map((text) => {
      const volume = readVolume(text);
      if (volume === undefined)
        throw new Failure(
          'USAGE',
          `--volume: ${JSON.stringify(text)} is not allowed; allowed is ${VOLUME_FORM}`,
        );
      return volume;
    }),
    networks: options.network,
    limits: {
      memory: options.memory,
      cpus: options.cpus === undefined ? undefined : Number(options.cpus),
      pids: options.pids,
    },
    hardening: options.hardening,
    relaxations: options.relax,
    ...((options.readyPath ?? options.readyStatus ?? options.readyTcp ?? options.readyTimeout) !==
      undefined && {
      readiness: {
        kind: options.readyTcp ? 'tcp' : 'http',
        path: options.readyPath,
        statuses: options.readyStatus?.flatMap((statuses) => statuses.split(',')),
        timeout: options.readyTimeout,
      },
    }),
    idle: { pauseAfter: options.pauseAfter, stopAfter: options.stopAfter },
    rollout: options.rollout,
    timeouts: { response: options.responseTimeout, stop: options.stopGrace },
  };
}
