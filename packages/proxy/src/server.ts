import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Activator } from './activator.ts';
import { systemClock } from './clock.ts';
import type { Forwarder, ReadinessProbe, Revision, Router, Runtime, ServiceSource } from './contracts.ts';
import { logAccess, logEvent } from './event-log.ts';
import { EventStream, publicFacts } from './event-stream.ts';
import { TrustedProxies } from './forwarded.ts';
import { Front, type FrontLimits } from './front.ts';
import type { Lease } from './lease.ts';
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

/** How long the last log lines of a start that failed may take, in milliseconds. */
const LAST_WORDS_MS = 5_000;

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

  /**
   * Gets an instance of the revision ready. The lease keeps it awake.
   *
   * @throws why it does not get ready, with `lastLogLines` if it was started
   */
  async prove(revision: Revision): Promise<Lease> {
    const failed = Promise.withResolvers<readonly string[]>();
    const stopListening = this.events.subscribe((event) => {
      if (
        event.type !== 'start-failed' ||
        event.service !== revision.service ||
        event.revision !== revision.id
      )
        return;
      failed.resolve(event.lastLogLines as readonly string[]);
    });
    const { promise: enough, resolve } = Promise.withResolvers<readonly string[]>();
    let patience: NodeJS.Timeout | undefined;
    try {
      return await this.activator.lease(revision);
    } catch (error) {
      // Its last words come a moment later, unless it was never started.
      patience = setTimeout(resolve, LAST_WORDS_MS, []);
      const lastLogLines = await Promise.race([failed.promise, enough]);
      throw Object.assign(error instanceof Error ? error : new Error(String(error)), { lastLogLines });
    } finally {
      clearTimeout(patience);
      stopListening();
    }
  }

  /** Finishes what is open, then stops all instances; with `keep`, leaves them to the next proxy. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    await this.#front.drain(this.#options.drainTimeoutMs);
    await this.activator.close({ keep });
    await this.#watching;
    if (!keep) await this.#options.runtime.close();
  }
}
