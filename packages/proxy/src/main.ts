#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --heap-growing-percent=20 --liftoff-only
import { fork } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadToken } from '@cless/admin/serve';
import { waitUntilReady } from '@cless/health';
import { CODES, knownCodeOf, messageOf, systemClock } from '@cless/model';
import { SqliteStore } from '@cless/store';
import { startAdmin } from './compose/admin.ts';
import { laneOf, limitsOf, orUndefined } from './compose/defaults.ts';
import { composeForwarder } from './compose/forwarder.ts';
import { CLOSING_MS, composeLog, type Telling } from './compose/log.ts';
import { claimOwner, TAKE_OVER } from './compose/owner.ts';
import { createRuntime } from './compose/runtime.ts';
import { composeRemoteServices, composeRouter, composeServices } from './compose/services.ts';
import { explainListenError, hostAndPort } from './edge/address.ts';
import { accessLog } from './observe/event-log.ts';
import { onOwnSignal, onSignal } from './process/signals.ts';
import { StateDirectory } from './process/state-directory.ts';
import { watchState } from './process/state-watch.ts';
import { Server } from './server.ts';
import { followChanges } from './services/store-changes.ts';
import { settingsHelp } from './settings/help.ts';
import { readSettings } from './settings/read.ts';
import type { Settings } from './settings/table.ts';
import type { WorkerProcess } from './workers/link.ts';
import { portOf, workerOf } from './workers/process-port.ts';
import { runWorker } from './workers/worker.ts';

/*
 * The program. With compose/ it is the only place that names concrete classes.
 */

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
  const telling = await composeLog(settings);
  if (process.env.CLESS_FORKED !== undefined && process.connected) await beWorker(settings, telling);
  else await runPrimary(settings, telling, args.includes(TAKE_OVER));
}

async function runPrimary(settings: Settings, telling: Telling, takeOver: boolean): Promise<void> {
  const { log, lastResort } = telling;
  const state = new StateDirectory(settings['state-dir']);
  const store = openStore(state.path);
  const instances = await createRuntime({ settings, state, takeOver });
  await claimOwner(instances.owned, state, (error) => {
    log.fatal(error.message);
    systemClock.after(settings['drain-timeout'] + CLOSING_MS, () => process.exit(2));
    lastResort.finish().finally(() => process.exit(2));
  });
  const router = composeRouter(settings);
  const services = composeServices(settings, { ...instances, store, router, log });
  const token = settings['admin-listen'] === 'off' ? undefined : loadToken(state.path);
  lastResort.secrets = () => [...services.registered.secrets(), ...(token === undefined ? [] : [token])];

  const server = new Server({
    ...(await edgeParts(settings, telling)),
    log,
    router,
    source: services.source,
    runtime: instances.runtime,
    probe: waitUntilReady,
    workers:
      settings.workers === 1
        ? undefined
        : { count: settings.workers, fork: forking(settings), convention: services.convention },
    maxPending: settings['max-pending'],
    maxStarts: settings['max-starts'],
    maxInstances: orUndefined(settings['max-instances']),
    drainTimeoutMs: settings['drain-timeout'],
    logQuery: settings['log-query'] === 'on',
  });
  const starting = server.listen(settings.listen);
  const administering = starting.then(() => {
    followChanges({ store, log, clock: systemClock, take: (service) => server.changed(service) });
    return startAdmin(settings, token, { server, store, state, instances, services, version: VERSION, log });
  });
  administering.catch(() => {}); // reported below
  // Instances are left running; the next start adopts them.
  lastResort.finish = async () => {
    await starting;
    await server.close({ keep: true });
  };
  watchState(state, { clock: systemClock, log });
  // Before logging that it listens: whoever reads that may send a signal at once.
  const patienceMs = Math.max(settings['drain-timeout'], settings['stop-grace']) + CLOSING_MS;
  onSignal(log, patienceMs, async (signal) => {
    log.info(`${signal}: finishing what is open`);
    await starting;
    await server.close({ keep: settings['on-exit'] === 'keep' });
    await (await administering)?.close();
    store.close();
    state.close();
    log.info('bye');
  });
  const address = await starting.catch((error: unknown) => {
    throw explainListenError(error, 'CLESS_LISTEN', settings.listen);
  });
  const admin = await administering;

  const where = hostAndPort(address);
  // Logged at any level, since this line says that requests are accepted.
  const always = log.child({}, settings['log-level'] === 'silent' ? {} : { level: 'info' });
  always.info(
    {
      address: where,
      admin: admin && hostAndPort(admin.address),
      runtime: instances.runtime.name,
      owner: instances.owner,
      workers: settings.workers,
    },
    `listening on http://${where}`,
  );
  // Ahead of the first request, which would otherwise wait for it. If it fails, the first start reports why.
  instances.runtime.prepare().catch(() => {});
}

/** Runs as a worker: with several, each is this program again and accepts requests for the primary. */
async function beWorker(settings: Settings, telling: Telling): Promise<void> {
  const { log, lastResort } = telling;
  const store = openStore(settings['state-dir']);
  const router = composeRouter(settings);
  const worker = runWorker({
    ...(await edgeParts(settings, telling)),
    router,
    port: portOf(process),
    onAccess: accessLog(log, { query: settings['log-query'] === 'on' }),
    createSource: (primary) => {
      const { source, registered } = composeRemoteServices(settings, { store, router, primary });
      lastResort.secrets = () => registered.secrets();
      return source;
    },
  });
  lastResort.finish = () => worker.drain(settings['drain-timeout']);
  onOwnSignal(async () => {
    if (await worker.drain(settings['drain-timeout'])) process.exit(0);
  });
}

/** The options of the edge that are the same in the primary and in workers. */
async function edgeParts(settings: Settings, { log, logLinesDropped }: Telling) {
  return {
    clock: systemClock,
    forwarder: await composeForwarder(settings),
    lane: laneOf(settings),
    limits: limitsOf(settings),
    trustedProxies: settings['trust-proxy'],
    onError: (error: Error) => log.error(error, 'a connection could not be accepted'),
    logLinesDropped,
  };
}

function openStore(directory: string): SqliteStore {
  return new SqliteStore(join(directory, 'cless.db'));
}

/** Forks workers with the present settings, even if files and environment change later. */
function forking({ flags }: Settings): () => WorkerProcess {
  const env = { ...process.env, CLESS_FORKED: '1', CLESS_CONFIG: '' };
  return () => workerOf(fork(fileURLToPath(import.meta.url), flags, { env }));
}

main().catch((error: unknown) => {
  const code = knownCodeOf(error);
  const exit = code && CODES[code].proxyExit;
  const text = error instanceof Error && exit === undefined ? error.stack : messageOf(error);
  try {
    writeSync(2, `cless: ${text}\n`);
  } catch {
    // stderr is gone; the exit code has to do.
  }
  process.exit(exit ?? 1);
});
