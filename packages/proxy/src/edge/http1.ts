import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, Failure } from '@cless/model';
import { Meters, type Snapshot } from '../observe/meters.ts';
import { Journey, type JourneyContext } from '../request/journey.ts';
import { RetryBudget } from '../request/retry.ts';
import type { Address } from './address.ts';
import { Connection, type Turn } from './connection.ts';
import { EarlyBytes } from './early-bytes.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { EdgeRequest } from './edge-request.ts';
import { EdgeResponse } from './edge-response.ts';
import { IdleTimeout } from './idle-timeout.ts';
import { offeredUpgrade } from './offered-upgrade.ts';
import { explainParseError, type ParseError, wasHead } from './parse-error.ts';
import { ConnectRefusal, Refusal } from './refusal.ts';
import { Replay } from './replay.ts';
import { headBytes } from './request-bytes.ts';
import { UpgradeTurn } from './upgrade-turn.ts';

/** How long a connection may be silent before the system asks whether the other side is still there, in milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** The HTTP server: takes connections in, lets each request go its way in its turn, and refuses what is none. */
export class Http1Edge implements Edge {
  readonly #options: EdgeOptions;
  readonly #server: Server<typeof EdgeRequest, typeof EdgeResponse>;
  readonly #meters = new Meters();
  readonly #context: JourneyContext & { readonly clock: Clock; draining: boolean };
  /** Each connection that was ever accepted, until it has closed. */
  readonly #connections = new Map<Duplex, Connection>();
  readonly #idleTimeout: IdleTimeout;

  constructor(options: EdgeOptions) {
    const { limits } = options;
    this.#options = options;
    this.#context = { ...options, meters: this.#meters, retries: new RetryBudget(), draining: false };
    // Node looks after the silence of each connection, for the price of a timer that is pushed on.
    this.#idleTimeout = new IdleTimeout(Math.min(limits.bodyTimeoutMs, limits.idleTimeoutMs));
    this.#server = createServer({
      IncomingMessage: EdgeRequest,
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
    if (this.#idleTimeout.stepMs !== undefined) this.#server.timeout = this.#idleTimeout.stepMs;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('checkContinue', (request, response) => {
      request.expectsContinue = true;
      this.#onRequest(request, response);
    });
    // Unheard, Node would answer by itself, out of turn.
    this.#server.on('checkExpectation', (request, response) =>
      this.#onRequest(request, response, new Failure('EXPECTATION_FAILED', 'only 100-continue is met')),
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
        this.#server.on('error', (error) => this.#options.onError?.(error));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes a connection over from another HTTP server, which has read this head of a request on it, and given it away. */
  adopt(request: IncomingMessage, socket: Socket, early: Buffer): void {
    socket.pause();
    socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.unshift(Buffer.concat([headBytes(request), early]));
    this.#server.emit('connection', socket);
    socket.resume();
  }

  async read(): Promise<Snapshot> {
    return this.#meters.read();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#context.draining = true;
    const closed = Promise.all([
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
      // The server does not count those that it was given.
      ...[...this.#connections.keys()].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    ]);
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(timeoutMs, resolve);
    for (const connection of this.#connections.values()) connection.drain();
    await Promise.race([closed, timeout]);
    timer.cancel();
    for (const [socket, { current }] of this.#connections) {
      if (current instanceof EdgeResponse && current.headersSent) current.breakOff();
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

  /** @param refused why it does not even begin */
  #onRequest(request: EdgeRequest, response: EdgeResponse, refused?: Error): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.ended) {
      connection?.ignore();
      request.resume();
      return;
    }
    const journey = new Journey(this.#context, request, response);
    connection.take(response.turnOf(connection, journey, refused), { last: !response.shouldKeepAlive });
  }

  #onUpgrade(request: EdgeRequest, socket: Duplex, head: Buffer): void {
    this.#onTakeover(socket, head, (connection, early) => {
      const protocol = offeredUpgrade(request);
      return protocol === undefined
        ? new Replay(connection, request, early, this.#server)
        : new UpgradeTurn(this.#context, connection, request, protocol, early);
    });
  }

  #onConnect(request: EdgeRequest, socket: Duplex, head: Buffer): void {
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
    if (current !== undefined) current.silent?.(this.#idleTimeout.measure(socket));
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
    const explained = explainParseError(error, this.#options.limits);
    connection.unreadable(explained, () => new Refusal(connection, explained, wasHead(error), this.#meters));
  }
}
