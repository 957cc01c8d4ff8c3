import type { AddressInfo } from 'node:net';
import { Activator, type Lease } from '@cless/activator';
import { hasCode, type ReadinessProbe, type Revision, type Runtime, type Timer } from '@cless/model';
import type { Logger } from 'pino';
import { type Address, reserveAddress } from './edge/address.ts';
import type { Edge, EdgeOptions } from './edge/edge.ts';
import { Http1Edge } from './edge/http1.ts';
import { Middleware } from './middleware/middleware.ts';
import { accessLog, logEvent } from './observe/event-log.ts';
import { EventStream, publicFacts } from './observe/event-stream.ts';
import { LastStarts } from './observe/last-starts.ts';
import type { Snapshot } from './observe/meters.ts';
import { Metrics } from './observe/metrics.ts';
import { explainNotReady } from './observe/not-ready.ts';
import { type ToldEvent, told } from './observe/told-event.ts';
import { anyAnswerToo } from './services/any-answer.ts';
import type { ServiceSource } from './services/source.ts';
import { Workers, type WorkersOptions } from './workers/primary.ts';

export interface ServerOptions extends Omit<EdgeOptions, 'activator' | 'onAccess'> {
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly log: Logger;
  /** Worker processes that accept the requests in place of this one. Undefined means none. */
  readonly workers?: Pick<WorkersOptions, 'count' | 'fork' | 'convention'> | undefined;
  readonly maxPending: number;
  readonly maxStarts: number;
  readonly maxInstances: number | undefined;
  /** How long open requests may take when it closes, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** Does the access log have query strings? Default: no. */
  readonly logQuery?: boolean;
  /** How many lines of this process's log could not be written. */
  readonly logLinesDropped?: () => number;
  /** Called with each event of an instance, and when the runtime becomes reachable or unreachable. */
  readonly onEvent?: ((event: ToldEvent) => void) | undefined;
}

/** How long to wait for the last log lines of a failed start, in milliseconds. */
const LAST_WORDS_MS = 5_000;

/** The whole proxy: the edge, the activator and the runtime it watches. */
export class Server {
  readonly #options: ServerOptions;
  readonly activator: Activator<Revision>;
  readonly events = new EventStream();
  readonly metrics: Metrics;
  readonly lastStarts = new LastStarts();
  readonly #edge: Edge;
  #middleware: Middleware | undefined;
  readonly #workers: Workers | undefined;
  #watching: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { source, clock, log, workers } = options;
    this.#workers =
      workers &&
      new Workers({
        ...workers,
        source,
        log,
        clock,
        reserve: reserveAddress,
        activator: {
          lease: (...asked) => this.activator.lease(...asked),
          instance: (id) => this.activator.instance(id),
        },
      });
    this.metrics = new Metrics({ activator: () => this.activator, read: () => this.#read() });
    this.activator = new Activator<Revision>({
      ...options,
      probe: anyAnswerToo(options.probe),
      explain: (...about) => explainNotReady(options.runtime, ...about),
      connections: {
        close: (id) => this.#edge.close(id),
        destroy: (id, reason) => this.#edge.destroy(id, reason),
      },
      revisions: this.#workers === undefined ? source : retiringAfter(this.#workers, source),
      onEvent: (happened, revision) => {
        const event = told(happened, revision);
        logEvent(log, event);
        this.metrics.event(event);
        this.events.publish(publicFacts(event));
        if ('service' in event) this.lastStarts.note(event);
        options.onEvent?.(event);
      },
    });
    this.#edge = this.#workers ?? new Http1Edge(this.#edgeOptions());
  }

  /**
   * Starts to listen, and to compare with what the runtime has. Requests that arrive meanwhile are held.
   *
   * @throws the system's error, with its `code`, if it cannot listen there
   */
  async listen(address: Address): Promise<AddressInfo> {
    const listening = await this.#edge.listen(address);
    this.run();
    return listening;
  }

  /** Handles requests parsed by another server. Not available with workers, each of which has its own edge. */
  get middleware(): Middleware {
    this.run();
    if (this.#middleware === undefined) {
      if (!(this.#edge instanceof Http1Edge)) throw new Error('with workers, requests come in there');
      this.#middleware = new Middleware(this.#edgeOptions(), this.#edge);
    }
    return this.#middleware;
  }

  /** Starts to follow the runtime, if it has not started yet. */
  run(): void {
    this.#watching ??= this.activator.run();
  }

  /**
   * Gets an instance of the revision ready. The returned lease keeps it awake.
   *
   * @throws the reason if it does not get ready, with `lastLogLines` if it was started
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
    let patience: Timer | undefined;
    try {
      return await this.activator.lease(revision);
    } catch (error) {
      if (hasCode(error, 'SHUTTING_DOWN')) throw error;
      // Its last log lines arrive a moment later, unless it was never started.
      patience = this.#options.clock.after(LAST_WORDS_MS, () => failed.resolve([]));
      const lastLogLines = await failed.promise;
      throw Object.assign(error instanceof Error ? error : new Error(String(error)), { lastLogLines });
    } finally {
      patience?.cancel();
      stopListening();
    }
  }

  /** Must be called after each change of a service. */
  changed(service: string): void {
    this.#options.source.changed(service);
    void this.#workers?.changed(service);
  }

  /** Resolves when all changes until now hold for every new request. */
  async applied(): Promise<void> {
    await this.#workers?.applied();
  }

  /** How workers use instances, by id. */
  async use(): ReturnType<Workers['use']> {
    return (await this.#workers?.use()) ?? new Map();
  }

  /** Finishes open requests, then stops all instances or, with `keep`, leaves them to the next proxy. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    await Promise.all([this.#edge.drain(drainTimeoutMs), this.#middleware?.drain(drainTimeoutMs)]);
    await this.activator.close({ keep });
    await this.#watching;
    if (!keep) await this.#options.runtime.close();
  }

  // Private

  #edgeOptions(): EdgeOptions {
    const { log, logQuery = false } = this.#options;
    return { ...this.#options, activator: this.activator, onAccess: accessLog(log, { query: logQuery }) };
  }

  async #read(): Promise<Snapshot> {
    const snapshot = await this.#edge.read();
    const dropped = this.#options.logLinesDropped?.() ?? 0;
    return { ...snapshot, logLinesDropped: (snapshot.logLinesDropped ?? 0) + dropped };
  }
}

/** Wraps a source so that a revision retires only when no worker sends requests to it any more. */
function retiringAfter(workers: Workers, source: ServiceSource): ServiceSource {
  return {
    known: (service) => source.known(service),
    resolve: (service) => source.resolve(service),
    revision: (service, id) => source.revision(service, id),
    changed: (service) => source.changed(service),
    refresh: () => source.refresh(),
    onKept: (listener) => source.onKept(listener),
    onRetired: (listener) =>
      source.onRetired((revision) => {
        void workers.changed(revision.service).then(() => listener(revision));
      }),
  };
}
