import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Activator } from './activator.ts';
import { systemClock } from './clock.ts';
import type { Forwarder, ReadinessProbe, Router, Runtime, ServiceSource } from './contracts.ts';
import { logAccess, logEvent } from './event-log.ts';
import { EventStream, publicFacts } from './event-stream.ts';
import { TrustedProxies } from './forwarded.ts';
import { Front, type FrontLimits } from './front.ts';
import { Metrics } from './metrics.ts';

export interface ServerOptions {
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly router: Router;
  readonly source: ServiceSource;
  readonly forwarder: Forwarder;
  readonly log: Logger;
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits: FrontLimits;
  readonly trustedProxies?: TrustedProxies;
  readonly maxPending: number;
  readonly maxStarts: number;
  readonly maxInstances: number | undefined;
  /** How long open requests may take when it closes, in milliseconds. */
  readonly drainTimeoutMs: number;
}

/** The proxy as a whole: the front, the activator behind it, and the runtime that is watched. */
export class Server {
  readonly #options: ServerOptions;
  readonly activator: Activator;
  readonly events = new EventStream();
  readonly metrics: Metrics;
  readonly #front: Front;
  #watching: Promise<void> | undefined;

  private constructor(options: ServerOptions) {
    this.#options = options;
    const {
      runtime,
      probe,
      router,
      source,
      forwarder,
      log,
      limits,
      trustedProxies = new TrustedProxies([]),
    } = options;
    this.metrics = new Metrics(() => this.activator);
    this.activator = new Activator({
      ...options,
      clock: systemClock,
      connections: forwarder,
      runtime,
      probe,
      source,
      onEvent: (event) => {
        logEvent(log, event);
        this.metrics.event(event);
        this.events.publish(publicFacts(event));
      },
    });
    this.#front = new Front({
      router,
      source,
      forwarder,
      limits,
      trustedProxies,
      activator: this.activator,
      metrics: this.metrics,
      clock: systemClock,
      onAccess: log.isLevelEnabled('info') ? (access) => logAccess(log, access) : undefined,
    });
  }

  /**
   * Starts to listen, and to look at what the runtime has; requests that come meanwhile are held.
   *
   * @throws the system's error if it cannot listen there
   */
  static async start(options: ServerOptions): Promise<{ server: Server; address: AddressInfo }> {
    const server = new Server(options);
    const address = await server.#front.listen(options.listen);
    server.#watching = server.activator.run();
    return { server, address };
  }

  /** Finishes what is open, then stops all instances; with `keep`, leaves them to the next proxy. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    await this.#front.drain(this.#options.drainTimeoutMs);
    await this.activator.close({ keep });
    await this.#watching;
    if (!keep) await this.#options.runtime.close();
  }
}
