import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LeaseGiver } from '@cless/activator';
import type { Clock } from '@cless/model';
import type { Forwarder } from '../forward/forwarder.ts';
import type { TrustedProxies } from '../headers/forwarded.ts';
import { Meters, type Snapshot } from '../observe/meters.ts';
import { ExpectationError, type HeadLimits } from '../request/head.ts';
import { HeldRequest } from '../request/held-request.ts';
import { HeldUpgrade } from '../request/held-upgrade.ts';
import { RetryBudget } from '../request/retry-budget.ts';
import type { Router } from '../services/router.ts';
import type { ServiceSource } from '../services/source.ts';
import { Connection, type Turn } from './connection.ts';
import { EarlyBytes } from './early-bytes.ts';
import type { Address, Edge } from './edge.ts';
import { offeredUpgrade } from './offered-upgrade.ts';
import { explainParseError, type ParseError, wasHead } from './parse-error.ts';
import { ConnectRefusal, Refusal } from './refusal.ts';
import { Replay } from './replay.ts';
import { EdgeResponse } from './response.ts';
import { Silence } from './silence.ts';

/** How long a connection may be silent before the system asks whether the other side is still there, in milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;

export interface EdgeLimits extends HeadLimits {
  readonly maxHeaderBytes: number;
  /** For the head of a request, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** How long a connection may be idle between requests, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may be silent in the middle of a request's body, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** How long nothing may move in the middle of an exchange that is neither an event stream nor upgraded, likewise. */
  readonly idleTimeoutMs: number;
}

/** One line of the access log. */
export interface Access {
  readonly requestId: string;
  readonly method: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly service: string | undefined;
  readonly revision: string | undefined;
  readonly status: number;
  /** In milliseconds. */
  readonly durationMs: number;
  /** Absent if an instance was ready. */
  readonly waitedFor: 'cold' | 'resume' | undefined;
  /** Why the answer is not the instance's own, or not whole. */
  readonly error: unknown;
}

export interface EdgeOptions {
  readonly router: Router;
  readonly source: ServiceSource;
  readonly activator: LeaseGiver;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly limits: EdgeLimits;
  readonly trustedProxies: TrustedProxies;
  /** Called once for each request, when its answer has ended. Undefined means no access log. */
  readonly onAccess: ((access: Access) => void) | undefined;
  /** Called when a connection could not be accepted. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** What a request needs of the edge. */
export interface EdgeContext extends EdgeOptions {
  readonly meters: Meters;
  readonly retries: RetryBudget;
  /** Is the edge about to close? */
  readonly draining: boolean;
}

/** The HTTP server: takes connections in, lets each request go its way in its turn, and refuses what is none. */
export class Http1Edge implements Edge {
  readonly #server: Server;
  readonly #context: EdgeContext;
  /** Each connection that was ever accepted, until it has closed. */
  readonly #connections = new Map<Duplex, Connection>();
  readonly #silence: Silence;
  #draining = false;

  constructor(options: EdgeOptions) {
    const { limits } = options;
    const isDraining = () => this.#draining;
    this.#context = {
      ...options,
      meters: new Meters(),
      retries: new RetryBudget(),
      get draining() {
        return isDraining();
      },
    };
    // Node looks after the silence of each connection, for the price of a timer that is pushed on.
    this.#silence = new Silence(Math.min(limits.bodyTimeoutMs, limits.idleTimeoutMs));
    this.#server = createServer({
      ServerResponse: EdgeResponse,
      // Node counts the target as part of the headers; which of the two is too long is told apart by us.
      maxHeaderSize: limits.maxHeaderBytes + limits.maxTargetBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: 0, // an upload may take its time
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false, // told by us, as a problem
      insecureHTTPParser: false,
      noDelay: true,
      // A client that vanished without a word would hold its event stream, and so its service, awake for ever.
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    this.#server.maxHeadersCount = 0; // Node would drop the rest in silence; ours is an error
    if (this.#silence.stepMs !== undefined) this.#server.timeout = this.#silence.stepMs;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response: EdgeResponse) => this.#onRequest(request, response));
    this.#server.on('checkContinue', (request, response: EdgeResponse) =>
      this.#onRequest(request, response, { expectsContinue: true }),
    );
    // Unheard, Node would answer by itself, out of turn.
    this.#server.on('checkExpectation', (request, response: EdgeResponse) =>
      this.#onRequest(request, response, undefined, new ExpectationError('only 100-continue is met')),
    );
    this.#server.on('timeout', () => {}); // each connection listens to its own
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('connect', (request, socket, head) => this.#onConnect(request, socket, head));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket));
  }

  /** @param reusePort let others of the same user listen there, too; the kernel shares connections out (SO_REUSEPORT) */
  listen({ host, port }: Address, { reusePort = false } = {}): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        // Of a connection that could not be accepted; unheard it would end the process.
        this.#server.on('error', (error) => this.#context.onError?.(error));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  async read(): Promise<Snapshot> {
    return this.#context.meters.read();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = this.#context.clock.after(timeoutMs, resolve);
    for (const connection of this.#connections.values()) connection.drain();
    await Promise.race([closed, timeout]);
    timer.cancel();
    for (const [socket, { current }] of this.#connections) {
      if (current instanceof HeldRequest) current.breakOff();
      socket.destroy();
    }
    await closed;
  }

  // Private

  #onConnection(socket: Socket): void {
    if (this.#connections.has(socket)) return; // what it sent is being read anew
    const connection = new Connection(socket, this.#context);
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
    socket.on('timeout', () => this.#onSilence(connection));
  }

  #onRequest(
    request: IncomingMessage,
    response: EdgeResponse,
    options?: { expectsContinue: boolean },
    refused?: Error,
  ): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.ended) {
      connection?.ignore();
      request.resume();
      return;
    }
    const held = new HeldRequest(this.#context, connection, request, response, options);
    if (refused !== undefined) held.unreadable(refused);
    connection.take(held, { last: !response.shouldKeepAlive });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#onTakeover(socket, head, (connection, early) => {
      const protocol = offeredUpgrade(request);
      return protocol === undefined
        ? new Replay(connection, request, early, this.#server)
        : new HeldUpgrade(this.#context, connection, request, protocol, early);
    });
  }

  #onConnect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#onTakeover(
      socket,
      head,
      (connection, early) => new ConnectRefusal(this.#context, connection, request, early),
    );
  }

  /** Node's server has given the connection away: nobody reads it any more, or looks after it. */
  #onTakeover(socket: Duplex, head: Buffer, turn: (connection: Connection, early: EarlyBytes) => Turn): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.givenAway();
    if (connection.ended) connection.ignore();
    else connection.take(turn(connection, new EarlyBytes(connection.socket, head)));
  }

  /** Nothing has moved on a connection for a while; whether that is too long depends on what it is waiting for. */
  #onSilence({ socket, current }: Connection): void {
    if (current !== undefined) current.silent?.(this.#silence.measure(socket));
    else if (socket.bytesWritten > 0) socket.destroy(); // between requests, so the timer was the one of keep-alive
    // Else nothing came yet: that is for the timeout of the headers.
  }

  /** What could not even be parsed. */
  #onClientError(error: ParseError, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const explained = explainParseError(error, this.#context.limits);
    connection.unreadable(
      explained,
      () => new Refusal(connection, explained, wasHead(error), this.#context.meters),
    );
  }
}
