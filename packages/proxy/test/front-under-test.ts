import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  ConventionSource,
  type EdgeLimits,
  type Endpoint,
  type Forwarder,
  Server,
  TrustedProxies,
  workerOf,
} from '@cless/proxy';
import { Router } from '@cless/router';
import { FixedRuntime } from '@cless/testkit';
import { pino } from 'pino';

export interface FrontUnderTest {
  readonly port: number;
  /** What it holds now: file descriptors of its processes, and leases. */
  held(): Promise<{ readonly descriptors: number; readonly leases: number }>;
  close(): Promise<void>;
}

/** A class that makes forwarders: where it is, so that another process can load it, too. */
export interface ForwarderClass {
  /** As for `import`. */
  readonly module: string;
  readonly name: string;
}

/** The proxy's own. */
export const FORWARDERS = {
  undici: { module: '@cless/proxy', name: 'UndiciForwarder' },
  'http-proxy-3': { module: '@cless/proxy', name: 'HttpProxy3Forwarder' },
} as const satisfies Record<string, ForwarderClass>;

/** What a front has that can be sent to another process. */
export interface FrontSettings {
  readonly forwarder: ForwarderClass;
  readonly responseTimeoutMs: number;
  /** In bytes; null for none. */
  readonly limits: Omit<EdgeLimits, 'maxBodyBytes'> & { readonly maxBodyBytes: number | null };
  readonly trustedProxies: readonly string[];
}

/** What a front is made of, from its settings. */
export async function frontParts({ forwarder, responseTimeoutMs, limits, trustedProxies }: FrontSettings) {
  const module = await import(/* @vite-ignore */ forwarder.module);
  const Class = module[forwarder.name] as new (options: { responseTimeoutMs: number }) => Forwarder;
  return {
    forwarder: new Class({ responseTimeoutMs }),
    router: new Router(),
    limits: { ...limits, maxBodyBytes: limits.maxBodyBytes ?? Number.POSITIVE_INFINITY },
    trustedProxies: new TrustedProxies(trustedProxies),
  };
}

const WORKER = fileURLToPath(new URL('./front-worker.ts', import.meta.url));

/**
 * The front, activator and all: each service's instance is at a fixed endpoint and ready. In this process, or with
 * `TEST_WORKERS` in so many of their own.
 */
export async function startFront(
  forwarder: ForwarderClass,
  endpoints: Readonly<Record<string, Endpoint>>,
  options: {
    responseTimeoutMs: number;
    maxBodyBytes?: number;
    trustedProxies?: readonly string[];
    bodyTimeoutMs?: number;
    idleTimeoutMs?: number;
    keepAliveTimeoutMs?: number;
    headersTimeoutMs?: number;
    drainTimeoutMs?: number;
  },
): Promise<FrontUnderTest> {
  const settings: FrontSettings = {
    forwarder,
    responseTimeoutMs: options.responseTimeoutMs,
    limits: {
      maxTargetBytes: 8192,
      maxHeaderBytes: 16_384,
      maxHeaderCount: 200,
      maxBodyBytes: options.maxBodyBytes ?? null,
      headersTimeoutMs: options.headersTimeoutMs ?? 60_000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 75_000,
      bodyTimeoutMs: options.bodyTimeoutMs ?? 60_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    },
    trustedProxies: options.trustedProxies ?? [],
  };
  const runtime = new FixedRuntime(endpoints);
  const source = new ConventionSource({
    runtime,
    imageSuffix: '',
    defaults: {
      readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
      idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
      stopGraceMs: 0,
    },
  });
  const workers = Number(process.env.TEST_WORKERS ?? 1);
  const processes = new Set([process.pid]);
  const forkOne = () => {
    const child = forkWorker(settings);
    const { pid } = child;
    if (pid !== undefined) {
      processes.add(pid);
      child.once('exit', () => processes.delete(pid));
    }
    return workerOf(child);
  };
  const { server, address } = await Server.start({
    ...(await frontParts(settings)),
    runtime,
    probe: async () => ({ attempts: 1, durationMs: 0 }),
    source,
    workers: workers === 1 ? undefined : { count: workers, convention: source, fork: forkOne },
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    maxPending: 1000,
    maxStarts: 4,
    maxInstances: undefined,
    drainTimeoutMs: options.drainTimeoutMs ?? 200,
  });
  return {
    port: address.port,
    close: () => server.close({ keep: false }),
    async held() {
      const uses = [...server.activator.instances(), ...(await server.use()).values()];
      return {
        descriptors: [...processes].reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0),
        leases: uses.reduce((sum, { leases }) => sum + leases, 0),
      };
    },
  };
}

function forkWorker(settings: FrontSettings) {
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  return fork(WORKER, [JSON.stringify(settings)], { execArgv });
}
