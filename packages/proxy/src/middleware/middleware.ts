import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EdgeOptions } from '../edge/edge.ts';
import type { Http1Edge } from '../edge/http1.ts';
import { IdleTimeout } from '../edge/idle-timeout.ts';
import { Meters } from '../observe/meters.ts';
import { Journey, type JourneyContext } from '../request/journey.ts';
import { RetryBudget } from '../request/retry.ts';
import { ForeignRequest } from './foreign-request.ts';
import { ForeignResponse } from './foreign-response.ts';

/** Passes the request on to the next handler or, with an error, to the error handler. */
export type Next = (error?: unknown) => void;

const ignore = () => {};

/**
 * Handles requests parsed by another HTTP server. Requests for hosts that are not services are left alone; all others
 * are handled as at our own edge, except that the limits for heads and idle connections are that server's.
 */
export class Middleware {
  readonly #options: EdgeOptions;
  readonly #edge: Http1Edge;
  readonly #context: JourneyContext & { draining: boolean };
  readonly #idleTimeout: IdleTimeout;
  /** Our answers that have not ended. */
  readonly #open = new Map<ServerResponse, ForeignResponse>();
  /** The last request of each connection that passed through here, until it is answered by us or others. */
  readonly #unanswered = new WeakMap<Socket, ServerResponse>();

  /** @param edge takes over upgraded connections */
  constructor(options: EdgeOptions, edge: Http1Edge) {
    const { bodyTimeoutMs, idleTimeoutMs } = options.limits;
    this.#options = options;
    this.#edge = edge;
    this.#context = { ...options, meters: new Meters(), retries: new RetryBudget(), draining: false };
    this.#idleTimeout = new IdleTimeout(Math.min(bodyTimeoutMs, idleTimeoutMs));
  }

  /**
   * The middleware in the form of Connect, Express and Fastify. Requests of one connection are handled one after the
   * other.
   */
  handle(request: IncomingMessage, response: ServerResponse, next: Next): void {
    const { socket } = request;
    const before = this.#unanswered.get(socket);
    this.#unanswered.set(socket, response);
    response.once('close', () => {
      if (this.#unanswered.get(socket) === response) this.#unanswered.delete(socket);
    });
    if (before === undefined) this.#take(request, response, next);
    else before.once('close', () => this.#take(request, response, next));
  }

  /**
   * Handles an upgrade that the server has given away.
   *
   * @returns false if its host is not a service; then the connection has not been touched
   */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> {
    socket.on('error', ignore); // nobody else listens meanwhile
    const isService = await this.#isService(request);
    socket.off('error', ignore);
    if (!isService) return false;
    // A client that does not wait for earlier answers might take one for the upgraded protocol.
    if (!(socket instanceof Socket) || this.#unanswered.has(socket)) socket.destroy();
    else if (!socket.destroyed) this.#edge.adopt(request, socket, head);
    return true;
  }

  /** Refuses new requests and waits for open ones, up to the timeout; then breaks them off. */
  async drain(timeoutMs: number): Promise<void> {
    this.#context.draining = true;
    const closed = Promise.all([...this.#open.keys()].map(closing));
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(timeoutMs, resolve);
    await Promise.race([closed, timeout]);
    timer.cancel();
    for (const outgoing of this.#open.values()) outgoing.breakOff();
    await closed;
  }

  // Private

  #take(request: IncomingMessage, response: ServerResponse, next: Next): void {
    const service = this.#serviceOf(request);
    if (service === undefined) next();
    else if (this.#options.source.known(service) !== undefined) this.#begin(request, response, next);
    else
      void this.#isService(request).then((isOurs) => {
        if (isOurs) this.#begin(request, response, next);
        else next();
      });
  }

  #begin(request: IncomingMessage, response: ServerResponse, next: Next): void {
    const incoming = new ForeignRequest(request);
    if (incoming.isTaken) {
      next(alreadyRead(incoming));
      return;
    }
    const outgoing = new ForeignResponse(response);
    const journey = new Journey(this.#context, incoming, outgoing);
    this.#open.set(response, outgoing);
    response.once('close', () => this.#open.delete(response));
    this.#watchSilence(journey, response, request.socket);
    journey.begin();
  }

  #watchSilence(journey: Journey, response: ServerResponse, socket: Socket): void {
    const { stepMs } = this.#idleTimeout;
    if (stepMs === undefined) return;
    const before = socket.timeout ?? 0;
    socket.setTimeout(stepMs);
    // With a listener on the answer, the server does not handle the timeout itself.
    response.on('timeout', () => journey.silent(this.#idleTimeout.measure(socket)));
    response.once('close', () => {
      if (socket.timeout === stepMs) socket.setTimeout(before); // otherwise the server has set another timeout
    });
  }

  /** If the lookup fails, the host counts as not a service, so that the rest of the server goes on. */
  async #isService(request: IncomingMessage): Promise<boolean> {
    const { source } = this.#options;
    const service = this.#serviceOf(request);
    if (service === undefined) return false;
    if (source.known(service) !== undefined) return true;
    return (await source.resolve(service).catch(ignore)) !== undefined;
  }

  #serviceOf({ headers: { host = '' } }: IncomingMessage): string | undefined {
    try {
      return this.#options.router.route(host)?.service;
    } catch {
      return undefined; // no host
    }
  }
}

function closing(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('close', () => resolve()));
}

function alreadyRead({ method, target }: ForeignRequest): Error {
  return new Error(
    `the body of ${method} ${target} was read before cLess got it: cless.middleware() has to come before what parses bodies`,
  );
}
