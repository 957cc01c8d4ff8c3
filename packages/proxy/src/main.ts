#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --heap-growing-percent=20
import { fork } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdminServer, loadToken, type Platform } from '@cless/admin';
import { waitUntilReady } from '@cless/health';
import { CODES, hasCode, knownCodeOf, messageOf, systemClock } from '@cless/model';
import { Router } from '@cless/router';
import { SqliteStore } from '@cless/store';
import type { Logger } from 'pino';
import { createRuntime, explainRefusal } from './compose/runtime.ts';
import { explainListenError, hostAndPort } from './edge/address.ts';
import type { EdgeLimits, EdgeOptions } from './edge/http1.ts';
import type { Forwarder } from './forward/forwarder.ts';
import { UndiciForwarder } from './forward/undici.ts';
import { accessLog } from './observe/event-log.ts';
import { openLog } from './observe/log.ts';
import { createPlatform } from './platform.ts';
import { watchDescriptors } from './process/descriptors.ts';
import { LastResort } from './process/last-resort.ts';
import { OwnerClaim } from './process/owner-claim.ts';
import { onOwnSignal, onSignal } from './process/signals.ts';
import { StateDirectory } from './process/state-directory.ts';
import { Server } from './server.ts';
import { ConventionSource } from './services/convention.ts';
import { RegisteredSource } from './services/registered.ts';
import { followChanges } from './services/store-changes.ts';
import { readSettings, SettingError, type Settings, settingsHelp } from './settings/settings.ts';
import type { WorkerProcess } from './workers/link.ts';
import { portOf, workerOf } from './workers/process-port.ts';
import { runWorker } from './workers/worker.ts';

/*
 * The composition root: reads the settings, and is the only place that names concrete classes.
 */

const DATABASE = 'cless.db';
const STATE_INTERVAL_MS = 2_000;
/** A flag, and no setting: to be given once. */
const TAKE_OVER = '--take-over';
/** On top of the time for what is open, for all else at the end. In milliseconds. */
const CLOSING_MS = 1_000;
const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(`${settingsHelp()}\n`);
    return;
  }
  const settings = readSettings(
    args.filter((one) => one !== TAKE_OVER),
    process.env,
  );
  const { log, stream } = await openLog({ level: settings['log-level'], format: settings['log-format'] });
  const lastResort = new LastResort({
    log,
    clock: systemClock,
    exit: (code) => process.exit(code),
    timeoutMs: settings['drain-timeout'] + CLOSING_MS,
  });
  watchDescriptors({ log, clock: systemClock });
  process.on('uncaughtException', (error) => lastResort.handle(error)); // rejections that nobody hears of among them
  const parts = {
    log,
    lastResort,
    logLinesDropped: () => stream.dropped,
    forwarder: await createForwarder(settings),
    router: createRouter(settings),
    limits: limitsOf(settings),
    trustedProxies: settings['trust-proxy'],
    onError: (error: Error) => log.error(error, 'a connection could not be accepted'),
  };
  if (process.env.CLESS_FORKED !== undefined && process.connected) beWorker(settings, parts);
  else await runPrimary(settings, parts, args.includes(TAKE_OVER));
}

/** What is the same wherever requests arrive. */
type Parts = Omit<EdgeOptions, 'activator' | 'clock' | 'source' | 'onAccess'> & {
  readonly log: Logger;
  readonly logLinesDropped: () => number;
  readonly lastResort: LastResort;
  readonly router: Router;
};

async function runPrimary(settings: Settings, parts: Parts, takeOver: boolean): Promise<void> {
  const { log, router, lastResort } = parts;
  const state = new StateDirectory(settings['state-dir']);
  const store = new SqliteStore(join(state.path, DATABASE));
  const { runtime, owner, owned, imageSuffix } = createRuntime({ settings, state, takeOver });
  let end: () => Promise<unknown> = async () => {};
  if (owned !== undefined) {
    await OwnerClaim.make({
      runtime: owned,
      clock: systemClock,
      onTaken: (error) => {
        log.fatal(explainTaken(error, state).message);
        systemClock.after(settings['drain-timeout'] + CLOSING_MS, () => process.exit(2));
        end().finally(() => process.exit(2));
      },
    }).catch((error: unknown) => {
      throw explainTaken(error, state);
    });
  }
  const defaults = defaultsOf(settings);
  const convention =
    settings.convention === 'on'
      ? new ConventionSource({
          runtime,
          imageSuffix,
          defaults,
          warn: (message) => log.warn(message),
        })
      : undefined;
  const source = new RegisteredSource({ store, router, defaults, fallback: convention });
  const token = settings['admin-listen'] === 'off' ? undefined : loadToken(state.path);
  lastResort.secrets = () => [...source.secrets(), ...(token === undefined ? [] : [token])];
  const starting = Server.start({
    ...parts,
    runtime,
    source,
    probe: waitUntilReady,
    listen: settings.listen,
    workers:
      settings.workers === 1 ? undefined : { count: settings.workers, fork: forking(settings), convention },
    maxPending: settings['max-pending'],
    maxStarts: settings['max-starts'],
    maxInstances: never(settings['max-instances']),
    drainTimeoutMs: settings['drain-timeout'],
    logQuery: settings['log-query'] === 'on',
  });
  const administering = starting.then(({ server }) => {
    followChanges({
      store,
      log,
      clock: systemClock,
      take: (service) => {
        source.changed(service);
        server.changed(service);
      },
    });
    const platform = createPlatform({
      server,
      runtime,
      source,
      version: VERSION,
      lost: () => (state.exists ? undefined : `the state directory ${state.path} is gone`),
      conventionImage: (service) => (settings.convention === 'on' ? service + imageSuffix : undefined),
      explainRefusal,
    });
    return startAdmin(settings, { state, store, platform, token, log });
  });
  administering.catch(() => {}); // told below
  // Instances are left to the next start, which adopts them.
  end = async () => (await starting).server.close({ keep: true });
  lastResort.finish = end;
  watchState(state, log);
  // Before it says that it listens: whoever reads that may send a signal at once.
  const patienceMs = Math.max(settings['drain-timeout'], settings['stop-grace']) + CLOSING_MS;
  onSignal(log, patienceMs, async (signal) => {
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
      owner,
      workers: settings.workers,
    },
    `listening on http://${where}`,
  );
  // Ahead of the first request, which would have to wait for it; if it fails, the first start tells why.
  runtime.prepare().catch(() => {});
}

/** With several workers, each is this program again, and takes requests in for the primary. */
function beWorker(settings: Settings, { log, lastResort, ...parts }: Parts): void {
  const store = new SqliteStore(join(settings['state-dir'], DATABASE));
  const worker = runWorker({
    ...parts,
    port: portOf(process),
    onAccess: accessLog(log, { query: settings['log-query'] === 'on' }),
    createSource: (primary) => {
      const source = new RegisteredSource({
        store,
        router: parts.router,
        defaults: defaultsOf(settings),
        fallback: settings.convention === 'on' ? primary : undefined,
      });
      lastResort.secrets = () => source.secrets();
      return source;
    },
  });
  lastResort.finish = () => worker.drain(settings['drain-timeout']);
  onOwnSignal(async () => {
    if (await worker.drain(settings['drain-timeout'])) process.exit(0);
  });
}

/** Forks workers that have the settings of now, whatever becomes of files and environment. */
function forking({ flags }: Settings): () => WorkerProcess {
  const env = { ...process.env, CLESS_FORKED: '1', CLESS_CONFIG: '' };
  return () => workerOf(fork(fileURLToPath(import.meta.url), flags, { env }));
}

function createRouter(settings: Settings): Router {
  return new Router({
    convention: settings.convention === 'on',
    ...(settings.domain !== '' && { domain: settings.domain }),
  });
}

function limitsOf(settings: Settings): EdgeLimits {
  return {
    maxTargetBytes: settings['max-target-bytes'],
    maxHeaderBytes: settings['max-header-bytes'],
    maxHeaderCount: settings['max-headers'],
    maxBodyBytes: never(settings['max-body-bytes']) ?? Number.POSITIVE_INFINITY,
    headersTimeoutMs: settings['headers-timeout'],
    keepAliveTimeoutMs: settings['keep-alive-timeout'],
    bodyTimeoutMs: never(settings['body-timeout']) ?? Number.POSITIVE_INFINITY,
    idleTimeoutMs: never(settings['idle-timeout']) ?? Number.POSITIVE_INFINITY,
  };
}

/** What revisions leave to the installation. */
function defaultsOf(settings: Settings) {
  return {
    readiness: { check: { kind: 'http' }, timeoutMs: settings['ready-timeout'] },
    idle: { pauseAfterMs: never(settings['pause-after']), stopAfterMs: never(settings['stop-after']) },
    stopGraceMs: settings['stop-grace'],
  } as const;
}

function never<T>(value: T | 'never' | 'none'): T | undefined {
  return value === 'never' || value === 'none' ? undefined : value;
}

async function createForwarder(settings: Settings): Promise<Forwarder> {
  const options = { responseTimeoutMs: settings['response-timeout'] };
  switch (settings.forwarder) {
    case 'undici':
      return new UndiciForwarder(options);
    case 'http-proxy-3': {
      const { HttpProxy3Forwarder } = await import('./forward/http-proxy-3.ts');
      return new HttpProxy3Forwarder(options);
    }
  }
}

function explainTaken(error: unknown, state: StateDirectory): Error {
  if (!hasCode(error, 'OWNER_TAKEN')) return error instanceof Error ? error : new Error(String(error));
  const { directory = 'another one' } = error;
  if (directory === state.path)
    return new SettingError(
      `CLESS_OWNER: the owner ${error.owner} is bound to the state directory that was at ${directory} before, and this is ` +
        `another one: put that one back; if it is lost for good, start this proxy once with ${TAKE_OVER}`,
      { cause: error },
    );
  return new SettingError(
    `CLESS_OWNER: ${error.message}, and this proxy has ${state.path}: each would stop the other's containers. ` +
      `Give each a CLESS_OWNER of its own, or start this one with CLESS_STATE_DIR=${directory}; if that is lost for good, ` +
      `start this one once with ${TAKE_OVER}`,
    { cause: error },
  );
}

/** What runs goes on without it, but nothing can be changed any more. */
function watchState(state: StateDirectory, log: Logger): void {
  const timer = setInterval(() => {
    if (state.exists) return;
    log.error(
      `the state directory ${state.path} is gone, and with it the services: what is known is served on, nothing can be ` +
        'changed. Put it back and start again',
    );
    clearInterval(timer);
  }, STATE_INTERVAL_MS).unref();
}

/** Nothing if it is switched off, or its usual place is taken and nobody has asked for it there. */
async function startAdmin(
  settings: Settings,
  {
    state,
    store,
    platform,
    token,
    log,
  }: {
    readonly state: StateDirectory;
    readonly store: SqliteStore;
    readonly platform: Platform;
    readonly token: string | undefined;
    readonly log: Logger;
  },
): Promise<AdminServer | undefined> {
  const listen = settings['admin-listen'];
  state.writeAdminUrl(undefined);
  if (listen === 'off' || token === undefined) return undefined;
  try {
    const admin = await AdminServer.start({
      store,
      platform,
      listen,
      token,
      hosts: settings['admin-hosts'],
      openMetrics: settings['admin-open-metrics'] === 'on',
      onError: (error) => log.error(error, 'the admin API failed'),
    });
    try {
      state.writeAdminUrl(`http://${hostAndPort(admin.address)}`);
    } catch (error) {
      log.warn(error, 'where the admin API is could not be written: the CLI needs --admin');
    }
    return admin;
  } catch (error) {
    const explained = explainListenError(error, 'CLESS_ADMIN_LISTEN', listen);
    if (settings.given.has('admin-listen') || !hasCode(explained, 'INVALID_SETTING')) throw explained;
    log.warn(`no admin API: ${explained.message}`);
    return undefined;
  }
}

main().catch((error: unknown) => {
  const code = knownCodeOf(error);
  const exit = code && CODES[code].proxyExit;
  const text = error instanceof Error && exit === undefined ? error.stack : messageOf(error);
  try {
    writeSync(2, `cless: ${text}\n`);
  } catch {
    // Nobody can be told; the code says it.
  }
  process.exit(exit ?? 1);
});
