import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { waitUntilReady } from '@cless/health';
import { type ReadinessProbe, type Runtime, systemClock } from '@cless/model';
import { Router } from '@cless/router';
import type { Store } from '@cless/store';
import { type Logger, pino } from 'pino';
import type { Address } from '../edge/address.ts';
import type { EdgeLimits } from '../edge/edge.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { UndiciForwarder } from '../forward/undici.ts';
import { TrustedProxies } from '../headers/trusted-proxies.ts';
import type { Next } from '../middleware/middleware.ts';
import type { ToldEvent } from '../observe/told-event.ts';
import { Server } from '../server.ts';
import { SourceChain } from '../services/chain.ts';
import { ConventionSource } from '../services/convention.ts';
import type { GivenService } from '../services/given.ts';
import { RegisteredSource } from '../services/registered.ts';
import { followChanges } from '../services/store-changes.ts';
import { readSettings } from '../settings/read.ts';
import { limitsOf, orUndefined, revisionDefaultsOf } from './defaults.ts';

/** Each option defaults to the setting of that name. Times are in milliseconds. */
export interface ClessOptions {
  /** The runtime that starts, pauses and stops instances. */
  readonly runtime: Runtime;
  /** The services by name. */
  readonly services?: Readonly<Record<string, GivenService>>;
  /** Services whose revisions and traffic change while it runs. They come before all others. */
  readonly store?: Store;
  /** Does the name of no other service stand for the image with that name and the suffix? */
  readonly convention?: boolean;
  readonly imageSuffix?: string;
  /** A first label names a service only in `NAME.DOMAIN`. */
  readonly domain?: string;
  /** Decides when an instance may get its first request. Default: `waitUntilReady` of `@cless/health`. */
  readonly probe?: ReadinessProbe;
  /** Sends requests to instances. Default: over undici's connections. */
  readonly forwarder?: Forwarder;
  /** The limits for clients. */
  readonly limits?: Partial<EdgeLimits>;
  /** Addresses or networks whose `X-Forwarded-*` and `Forwarded` are believed. */
  readonly trustProxy?: readonly string[];
  readonly maxPending?: number;
  readonly maxStarts?: number;
  readonly maxInstances?: number;
  readonly readyTimeoutMs?: number;
  readonly pauseAfterMs?: number | 'never';
  readonly stopAfterMs?: number | 'never';
  readonly stopGraceMs?: number;
  /** How long an instance may take to begin its answer. Ignored if a `forwarder` is given. */
  readonly responseTimeoutMs?: number;
  readonly drainTimeoutMs?: number;
  /** Default: no log. */
  readonly log?: Logger;
  /** Called with each event of an instance, and when the runtime becomes reachable or unreachable. */
  readonly onEvent?: (event: ToldEvent) => void;
}

/** A proxy embedded in a program. */
export class Cless implements AsyncDisposable {
  readonly #server: Server;
  readonly #unfollow: () => void;

  constructor(options: ClessOptions) {
    const { store, log = pino({ enabled: false }) } = options;
    this.#server = composeServer(options, log);
    const take = (service: string) => this.#server.changed(service);
    this.#unfollow = store === undefined ? () => {} : followChanges({ store, log, clock: systemClock, take });
  }

  /**
   * Starts to listen, on all addresses or on one.
   *
   * @param where zero means any free port
   * @throws the system's error, with its `code`, if it cannot listen there
   */
  listen(where: number | Address): Promise<AddressInfo> {
    return this.#server.listen(typeof where === 'number' ? { host: '0.0.0.0', port: where } : where);
  }

  /**
   * A middleware for another server, in the form of Connect, Express and Fastify (with `@fastify/middie`); can also
   * be called as a listener. Requests for hosts that are not services are passed to the next one. Put it before body
   * parsers: a body that was already read is an error.
   *
   * @example
   * app.use(cless.middleware());
   */
  middleware(): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
    const { middleware } = this.#server;
    return (request, response, next) => middleware.handle(request, response, next);
  }

  /**
   * Handles the same server's upgrades, such as WebSockets. Resolves with false if the host is not a service; then
   * the connection has not been touched.
   *
   * @example
   * server.on('upgrade', cless.upgrade);
   */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> =>
    this.#server.middleware.upgrade(request, socket, head);

  /** Finishes what is open, then stops all instances; with `keep`, leaves them to the next one of the same owner. */
  async close({ keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    this.#unfollow();
    await this.#server.close({ keep });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A proxy that holds requests, has their service's instance started by the runtime, and forwards them to it.
 *
 * @example
 * await using cless = createCless({ runtime: new DockerRuntime({ owner: 'mine' }) });
 * const { port } = await cless.listen(8080); // golang.localhost is the image golang-docker
 */
export function createCless(options: ClessOptions): Cless {
  return new Cless(options);
}

function composeServer(options: ClessOptions, log: Logger): Server {
  const settings = readSettings([], {});
  const { runtime, store, services = {}, convention = settings.convention === 'on' } = options;
  const defaults = revisionDefaultsOf({
    'ready-timeout': options.readyTimeoutMs ?? settings['ready-timeout'],
    'pause-after': options.pauseAfterMs ?? settings['pause-after'],
    'stop-after': options.stopAfterMs ?? settings['stop-after'],
    'stop-grace': options.stopGraceMs ?? settings['stop-grace'],
  });
  const { responseTimeoutMs = settings['response-timeout'] } = options;
  const router = new Router({
    convention,
    services: Object.entries(services).map(([service, { hosts = [] }]) => ({ service, hosts })),
    ...(options.domain !== undefined && { domain: options.domain }),
  });
  const images = new ConventionSource({
    runtime,
    services: new Map(Object.entries(services)),
    imageSuffix: convention ? (options.imageSuffix ?? settings['image-suffix']) : undefined,
    defaults,
    warn: (message) => log.warn(message),
  });
  const registered = store === undefined ? [] : [new RegisteredSource({ store, router, defaults })];
  return new Server({
    runtime,
    router,
    source: new SourceChain([...registered, images]),
    probe: options.probe ?? waitUntilReady,
    forwarder: options.forwarder ?? new UndiciForwarder({ responseTimeoutMs }),
    // A forwarder that was given is to see every request.
    lane: options.forwarder === undefined ? { responseTimeoutMs } : undefined,
    clock: systemClock,
    limits: { ...limitsOf(settings), ...options.limits },
    trustedProxies: new TrustedProxies(options.trustProxy ?? []),
    maxPending: options.maxPending ?? settings['max-pending'],
    maxStarts: options.maxStarts ?? settings['max-starts'],
    maxInstances: options.maxInstances ?? orUndefined(settings['max-instances']),
    drainTimeoutMs: options.drainTimeoutMs ?? settings['drain-timeout'],
    log,
    onError: (error) => log.error(error, 'a connection could not be accepted'),
    onEvent: options.onEvent,
  });
}
