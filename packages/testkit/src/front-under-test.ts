import { ConventionSource, type Endpoint, type Forwarder, Server, TrustedProxies } from '@cless/proxy';
import { Router } from '@cless/router';
import { pino } from 'pino';
import { FixedRuntime } from './fixed-runtime.ts';

export interface FrontUnderTest {
  readonly port: number;
  close(): Promise<void>;
}

/** The front, activator and all, in this process: each service's instance is at a fixed endpoint and ready. */
export async function startFront(
  forwarder: Forwarder,
  endpoints: Readonly<Record<string, Endpoint>>,
  options: {
    maxBodyBytes?: number;
    trustedProxies?: readonly string[];
    bodyTimeoutMs?: number;
    idleTimeoutMs?: number;
    keepAliveTimeoutMs?: number;
  } = {},
): Promise<FrontUnderTest> {
  const runtime = new FixedRuntime(endpoints);
  const { server, address } = await Server.start({
    runtime,
    probe: async () => ({ attempts: 1, durationMs: 0 }),
    router: new Router({ convention: { imageSuffix: '' } }),
    source: new ConventionSource({
      runtime,
      imageSuffix: '',
      defaults: {
        readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
        idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
        stopGraceMs: 0,
      },
    }),
    forwarder,
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    limits: {
      maxTargetBytes: 8192,
      maxHeaderBytes: 16_384,
      maxHeaderCount: 200,
      maxBodyBytes: options.maxBodyBytes ?? Number.POSITIVE_INFINITY,
      headersTimeoutMs: 60_000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 75_000,
      bodyTimeoutMs: options.bodyTimeoutMs ?? 60_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    },
    trustedProxies: new TrustedProxies(options.trustedProxies ?? []),
    maxPending: 1000,
    maxStarts: 4,
    maxInstances: undefined,
    drainTimeoutMs: 200,
  });
  return { port: address.port, close: () => server.close({ keep: false }) };
}
