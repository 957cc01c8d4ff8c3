import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Endpoint, systemClock } from '@cless/model';
import { Router } from '@cless/router';
import { type EdgeOptions, type EdgeUnderTest, FixedRuntime } from '@cless/testkit';
import { pino } from 'pino';
import type { EdgeLimits } from '../../src/edge/edge.ts';
import { HttpProxy3Forwarder } from '../../src/forward/http-proxy-3.ts';
import { UndiciForwarder } from '../../src/forward/undici.ts';
import { TrustedProxies } from '../../src/headers/trusted-proxies.ts';
import { Server } from '../../src/server.ts';
import { ConventionSource } from '../../src/services/convention.ts';
import { workerOf } from '../../src/workers/process-port.ts';

/** How requests get to instances: on the lane as far as it goes, or all of them by one of the forwarders. */
const CLASSES = { lane: UndiciForwarder, undici: UndiciForwarder, 'http-proxy-3': HttpProxy3Forwarder };

export type Way = keyof typeof CLASSES;

export const WAYS: readonly Way[] = ['lane', 'undici', 'http-proxy-3'];

/** The settings of an edge, which can be sent to another process. */
export interface EdgeSettings {
  readonly way: Way;
  readonly responseTimeoutMs: number;
  /** In bytes; null means no limit. */
  readonly limits: Omit<EdgeLimits, 'maxBodyBytes'> & { readonly maxBodyBytes: number | null };
  readonly trustedProxies: readonly string[];
}

/** Creates the parts of an edge from its settings. */
export function edgeParts({ way, responseTimeoutMs, limits, trustedProxies }: EdgeSettings) {
  return {
    clock: systemClock,
    forwarder: new CLASSES[way]({ responseTimeoutMs }),
    lane: way === 'lane' ? { responseTimeoutMs } : undefined,
    router: new Router(),
    limits: { ...limits, maxBodyBytes: limits.maxBodyBytes ?? Number.POSITIVE_INFINITY },
    trustedProxies: new TrustedProxies(trustedProxies),
  };
}

/**
 * Starts the edge with its activator; each service's instance is ready at a fixed endpoint. In this process, or with
 * `TEST_WORKERS` in that many workers.
 */
export async function startEdge(
  way: Way,
  endpoints: Readonly<Record<string, Endpoint>>,
  options: EdgeOptions,
): Promise<EdgeUnderTest> {
  const settings: EdgeSettings = {
    way,
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
  const server = new Server({
    ...edgeParts(settings),
    runtime,
    probe: async () => ({ attempts: 1, durationMs: 0 }),
    source,
    workers: workers === 1 ? undefined : { count: workers, convention: source, fork: forkOne },
    log: pino({ level: 'silent' }),
    maxPending: 1000,
    maxStarts: 4,
    maxInstances: undefined,
    drainTimeoutMs: options.drainTimeoutMs ?? 200,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    port,
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

const WORKER = fileURLToPath(new URL('./edge-worker.ts', import.meta.url));

function forkWorker(settings: EdgeSettings) {
  const execArgv = [
    '--disable-warning=ExperimentalWarning',
    `--import=${import.meta.resolve('@cless/testkit/source')}`,
  ];
  return fork(WORKER, [JSON.stringify(settings)], { execArgv });
}
