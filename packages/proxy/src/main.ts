#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=4
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AdminServer, loadToken, type Platform, type StoredSpec } from '@cless/admin';
import { waitUntilReady } from '@cless/health';
import { Router } from '@cless/router';
import { DockerRuntime } from '@cless/runtime-docker';
import { ProcessRuntime } from '@cless/runtime-process';
import { DatabaseError, SqliteStore } from '@cless/store';
import { type Logger, pino } from 'pino';
import type { Forwarder, Runtime } from './contracts.ts';
import { ConventionSource } from './convention-source.ts';
import { createPlatform } from './platform.ts';
import { RegisteredSource } from './registered-source.ts';
import { Server } from './server.ts';
import { readSettings, SettingError, type Settings, settingsHelp } from './settings.ts';
import { StateDirectory, StateDirectoryError } from './state-directory.ts';
import { UndiciForwarder } from './undici-forwarder.ts';

/*
 * The composition root: reads the settings, and is the only place that names concrete classes.
 */

/** npm passes a signal on that its whole process group has got already: the second within this time is the first one's echo. */
const SIGNAL_ECHO_MS = 250;

const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(`${settingsHelp()}\n`);
    return;
  }
  const settings = readSettings(args, process.env);
  const log = await createLog(settings);
  const state = new StateDirectory(settings['state-dir']);
  const store = new SqliteStore(join(state.path, 'cless.db'));
  const runtime = createRuntime(settings, state);
  const never = <T>(value: T | 'never' | 'none') =>
    value === 'never' || value === 'none' ? undefined : value;

  const defaults = {
    readiness: { check: { kind: 'http' }, timeoutMs: settings['ready-timeout'] },
    idle: { pauseAfterMs: never(settings['pause-after']), stopAfterMs: never(settings['stop-after']) },
    stopGraceMs: settings['stop-grace'],
  } as const;
  const router = new Router({
    convention: settings.convention === 'on' && { imageSuffix: imageSuffix(settings) },
    ...(settings.domain !== '' && { domain: settings.domain }),
  });
  const source = new RegisteredSource({
    store,
    router,
    defaults,
    fallback:
      settings.convention === 'on'
        ? new ConventionSource({ runtime, imageSuffix: imageSuffix(settings), defaults })
        : undefined,
  });
  const forwarder = await createForwarder(settings);
  const starting = Server.start({
    runtime,
    log,
    router,
    source,
    probe: waitUntilReady,
    forwarder,
    listen: settings.listen,
    limits: {
      maxTargetBytes: settings['max-target-bytes'],
      maxHeaderBytes: settings['max-header-bytes'],
      maxHeaderCount: settings['max-headers'],
      maxBodyBytes: never(settings['max-body-bytes']) ?? Number.POSITIVE_INFINITY,
      headersTimeoutMs: settings['headers-timeout'],
      keepAliveTimeoutMs: settings['keep-alive-timeout'],
      bodyTimeoutMs: never(settings['body-timeout']) ?? Number.POSITIVE_INFINITY,
      idleTimeoutMs: never(settings['idle-timeout']) ?? Number.POSITIVE_INFINITY,
    },
    trustedProxies: settings['trust-proxy'],
    maxPending: settings['max-pending'],
    maxStarts: settings['max-starts'],
    maxInstances: never(settings['max-instances']),
    drainTimeoutMs: settings['drain-timeout'],
  });
  const administering = starting.then(({ server }) => {
    const platform = createPlatform({
      server,
      runtime,
      source,
      version: VERSION,
      pull: runtime instanceof DockerRuntime ? (image, options) => runtime.pull(image, options) : undefined,
      refusals: (spec) => refusals(spec, settings),
    });
    return startAdmin(settings, state, store, platform, log);
  });
  administering.catch(() => {}); // told below
  // Before it says that it listens: whoever reads that may send a signal at once.
  onSignal(log, async (signal) => {
    log.info(`${signal}: finishing what is open`);
    const { server } = await starting;
    await server.close({ keep: settings['on-exit'] === 'keep' });
    await (await administering)?.close();
    store.close();
    state.close();
    log.info('bye');
  });
  const { address } = await starting.catch((error: unknown) => {
    throw explainListenError(error, 'CLESS_LISTEN', settings.listen);
  });
  const admin = await administering;

  const where = hostAndPort(address);
  // Whatever the level: it is what tells that requests are accepted.
  const always = log.child({}, settings['log-level'] === 'silent' ? {} : { level: 'info' });
  always.info(
    {
      address: where,
      admin: admin && hostAndPort(admin.address),
      runtime: runtime.name,
      owner: 'owner' in runtime ? runtime.owner : undefined,
    },
    `listening on http://${where}`,
  );
  // Ahead of the first request, which would have to wait for it; if it fails, the first start tells why.
  runtime.prepare().catch(() => {});
}

async function createLog(settings: Settings): Promise<Logger> {
  const level = settings['log-level'];
  if (settings['log-format'] === 'json') return pino({ level });
  const { default: pretty } = await import('pino-pretty'); // memory for those that want it only
  return pino(
    { level },
    pretty({
      sync: true,
      ignore: 'pid,hostname,requestId',
      singleLine: true,
      colorize: process.stdout.isTTY,
    }),
  );
}

function createRuntime(settings: Settings, state: StateDirectory): Runtime & { readonly owner?: string } {
  switch (settings.runtime) {
    case 'docker':
      return new DockerRuntime({
        owner: settings.owner || state.owner(),
        ports: settings['port-range'],
        hostPaths: settings['host-paths'],
      });
    case 'process':
      if (settings['process-services'] === '') {
        throw new SettingError(
          'CLESS_PROCESS_SERVICES: the process runtime needs it; allowed is the path of a JSON file',
        );
      }
      return new ProcessRuntime({ servicesFile: settings['process-services'], stateDirectory: state.path });
  }
}

async function createForwarder(settings: Settings): Promise<Forwarder> {
  const options = { responseTimeoutMs: settings['response-timeout'] };
  switch (settings.forwarder) {
    case 'undici':
      return new UndiciForwarder(options);
    case 'http-proxy-3': {
      const { HttpProxy3Forwarder } = await import('./http-proxy-3-forwarder.ts');
      return new HttpProxy3Forwarder(options);
    }
  }
}

/** With the process runtime a service is called what the file calls it. */
function imageSuffix(settings: Settings): string {
  return settings.runtime === 'process' ? '' : settings['image-suffix'];
}

/** Nothing if it is switched off, or its usual place is taken and nobody has asked for it there. */
async function startAdmin(
  settings: Settings,
  state: StateDirectory,
  store: SqliteStore,
  platform: Platform,
  log: Logger,
): Promise<AdminServer | undefined> {
  const listen = settings['admin-listen'];
  state.writeAdminUrl(undefined);
  if (listen === 'off') return undefined;
  try {
    const admin = await AdminServer.start({
      store,
      platform,
      listen,
      token: loadToken(state.path),
      hosts: settings['admin-hosts'],
      openMetrics: settings['admin-open-metrics'] === 'on',
      onError: (error) => log.error(error, 'the admin API failed'),
    });
    state.writeAdminUrl(`http://${hostAndPort(admin.address)}`);
    return admin;
  } catch (error) {
    const explained = explainListenError(error, 'CLESS_ADMIN_LISTEN', listen);
    if (settings.given.has('admin-listen') || !(explained instanceof SettingError)) throw explained;
    log.warn(`no admin API: ${explained.message}`);
    return undefined;
  }
}

/** What this installation does not let a service have. */
function refusals(spec: StoredSpec, settings: Settings): { field: string; reason: string }[] {
  const allowed = settings['host-paths'];
  const inside = (path: string) =>
    allowed.some((root) => `${path}/`.startsWith(root === '/' ? root : `${root}/`));
  const refused = spec.volumes
    .map(({ source }, i) => ({ source, field: `volumes/${i}/source` }))
    .filter(({ source }) => source.startsWith('/') && !inside(source))
    .map(({ source, field }) => ({
      field,
      reason: `the host path ${source} is not allowed; allowed are ${allowed.join(', ') || 'none'} (CLESS_HOST_PATHS)`,
    }));
  if (settings.runtime === 'docker') return refused;
  // A child process is what the services file says.
  const containersOnly = ['entrypoint', 'command', 'user', 'hardening'] as const;
  return [
    ...containersOnly.filter((field) => spec[field] !== undefined),
    ...(['volumes', 'networks', 'relaxations'] as const).filter((field) => spec[field].length > 0),
  ].map((field) => ({ field, reason: `${field}: the process runtime has no containers` }));
}

function hostAndPort({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function explainListenError(
  error: unknown,
  setting: string,
  { host, port }: { host: string; port: number },
): unknown {
  const reasons: Record<string, string> = {
    EACCES: 'this user may not; use a port from 1024 on, or give node the capability CAP_NET_BIND_SERVICE',
    EADDRINUSE: 'another program does already',
    EADDRNOTAVAIL: 'this host has no such address',
    ENOTFOUND: 'this host has no such address',
  };
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined
    ? error
    : new SettingError(`${setting}: cannot listen on ${host}:${port}: ${reason}`, { cause: error });
}

/** The first signal closes, a second one exits now. */
function onSignal(log: Logger, close: (signal: string) => Promise<void>): void {
  let firstAtMs: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      close(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal(error);
          process.exit(1);
        },
      );
    } else if (performance.now() - firstAtMs > SIGNAL_ECHO_MS) {
      log.warn(`${signal} again: exiting now`);
      process.exit(130);
    }
  };
  process.on('SIGTERM', handle).on('SIGINT', handle);
}

main().catch((error: unknown) => {
  const expected = [SettingError, StateDirectoryError, DatabaseError].some((one) => error instanceof one);
  process.stderr.write(
    `cless: ${error instanceof Error ? (expected ? error.message : error.stack) : error}\n`,
  );
  process.exit(expected ? 2 : 1);
});
