import type { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '@cless/model';
import { Lane } from '../lane/lane.ts';
import type { FullWay, LaneContext } from '../lane/parts.ts';
import { Siding } from '../lane/siding.ts';
import { Meters, type Snapshot } from '../observe/meters.ts';
import { Journey } from '../request/journey.ts';
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

/** How long a connection may be silent before the kernel probes the other side, in milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;
const NOTHING = Buffer.alloc(0);

/**
 * The HTTP/1.1 server: accepts connections, for the lane first, starts each request that takes the full way in its turn,
 * and refuses what is not a request.
 */
export class Http1Edge implements Edge {
  readonly #options: EdgeOptions;
  readonly #server: Server<typeof EdgeRequest, typeof EdgeResponse>;
  readonly #meters = new Meters();
  readonly #context: LaneContext & { draining: boolean };
  /** Every accepted connection, until it has closed. */
  readonly #connections = new Map<Duplex, Connection>();
  readonly #idleTimeout: IdleTimeout;
  readonly #lane: Lane | undefined;
  /** Node's own listener for connections. */
  readonly #nodesListeners: ReturnType<EventEmitter['listeners']>;

  constructor(options: EdgeOptions) {
    const { limits } = options;
    this.#options = options;
    this.#context = { ...options, meters: this.#meters, retries: new RetryBudget(), draining: false };
    // Node's own socket timer watches each connection, which only costs pushing a timer back.
    this.#idleTimeout = new IdleTimeout(Math.min(limits.bodyTimeoutMs, limits.idleTimeoutMs));
    this.#server = createServer({
      IncomingMessage: EdgeRequest,
      ServerResponse: EdgeResponse,
      // Node counts the target as part of the headers; we find out which of the two is too long.
      maxHeaderSize: limits.maxHeaderBytes + limits.maxTargetBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: 0, // an upload may take its time
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false, // we answer with a problem
      insecureHTTPParser: false,
      noDelay: true,
      // A client that vanished without a FIN would keep its event stream open, and its service awake, for ever.
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    this.#server.maxHeadersCount = 0; // Node would drop further headers silently; we refuse the request
    if (this.#idleTimeout.stepMs !== undefined) this.#server.timeout = this.#idleTimeout.stepMs;
    this.#lane = options.lane && new Lane(this.#context, options.lane, this.#fullWay());
    // Node's own listener would begin to read each connection at once.
    this.#nodesListeners = this.#server.listeners('connection');
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('checkContinue', (request, response) => {
      request.expectsContinue = true;
      this.#onRequest(request, response);
    });
    // Without a listener Node would answer by itself, out of turn.
    this.#server.on('checkExpectation', (request, response) =>
      this.#onRequest(request, response, new Failure('EXPECTATION_FAILED', 'only 100-continue is met')),
    );
    this.#server.on('timeout', () => {}); // each connection has its own listener
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('connect', (request, socket, head) => this.#onConnect(request, socket, head));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket));
  }

  /**
   * @param reusePort let other processes of the same user listen there too; the kernel distributes connections
   * (SO_REUSEPORT)
   */
  listen({ host, port }: Address, { reusePort = false } = {}): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        // A connection could not be accepted. Without a listener this would end the process.
        this.#server.on('error', (error) => this.#options.onError?.(error));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes over a connection from another HTTP server, which has parsed this head on it and given it away. */
  adopt(request: IncomingMessage, socket: Socket, early: Buffer): void {
    socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    this.#read(socket, Buffer.concat([headBytes(request), early]));
  }

  async read(): Promise<Snapshot> {
    return this.#meters.read();
  }

  async close(instanceId: string): Promise<void> {
    await Promise.all([this.#options.forwarder.close(instanceId), this.#lane?.close(instanceId)]);
  }

  destroy(instanceId: string, reason: Error): void {
    this.#options.forwarder.destroy(instanceId, reason);
    this.#lane?.destroy(instanceId, reason);
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#context.draining = true;
    this.#lane?.drain();
    const closed = Promise.all([
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
      // The server does not count adopted connections.
      ...[...this.#connections.keys()].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    ]);
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(timeoutMs, resolve);
    for (const connection of this.#connections.values()) connection.drain();
    await Promise.race([closed, timeout]);
    timer.cancel();
    this.#lane?.breakOff();
    for (const [socket, { current }] of this.#connections) {
      if (current instanceof EdgeResponse && current.headersSent) current.breakOff();
      socket.destroy();
    }
    await closed;
  }

  // Private

  #accept(socket: Socket): void {
    if (this.#lane === undefined) this.#read(socket, NOTHING);
    else this.#lane.take(socket);
  }

  /** Has Node's server read a connection. @param bytes to be read first */
  readonly #read = (socket: Socket, bytes: Buffer) => {
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    for (const listener of this.#nodesListeners) listener.call(this.#server, socket);
    this.#own(socket);
    socket.resume();
  };

  #own(socket: Socket): Connection {
    const before = this.#connections.get(socket);
    if (before !== undefined) return before; // it is being replayed
    const connection = new Connection(socket, this.#context);
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
    socket.on('timeout', () => this.#onSilence(connection));
    return connection;
  }

  /** What becomes of what the lane does not do. */
  #fullWay(): FullWay {
    return {
      take: this.#read,
      takeOne: (siding) => this.#read(siding, NOTHING),
      refuse: (socket, error) => {
        this.#own(socket).givenAway();
        this.#onClientError(error, socket);
      },
      finish: (socket, unread) => {
        const connection = this.#own(socket);
        connection.givenAway();
        if (unread) connection.ignore();
        connection.close();
      },
    };
  }

  /** @param refused why it is refused before it begins */
  #onRequest(request: EdgeRequest, response: EdgeResponse, refused?: Error): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.ended) {
      connection?.ignore();
      request.resume();
      return;
    }
    const headStart = request.socket instanceof Siding ? request.socket.takeHeadStart() : {};
    const journey = new Journey(this.#context, request, response, headStart);
    connection.take(response.turnOf(connection, journey, refused), { last: !response.shouldKeepAlive });
  }

  #onUpgrade(request: EdgeRequest, socket: Duplex, head: Buffer): void {
    this.#onTakeover(socket, head, (connection, early) => {
      const protocol = offeredUpgrade(request);
      return protocol === undefined
        ? new Replay(connection, request, early, this.#read)
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

  /** Called when Node's server has given the connection away, so that nobody else reads or closes it. */
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

  /** Called when no bytes have moved on a connection for a while. Whether that is too long depends on its turn. */
  #onSilence({ socket, current }: Connection): void {
    if (current !== undefined) current.silent?.(this.#idleTimeout.measure(socket));
    else if (socket.bytesWritten > 0) socket.destroy(); // idle between requests, so this is the keep-alive timeout
    // Otherwise nothing has been received yet, and the timeout of the headers applies.
  }

  /** Refuses what could not be parsed. */
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
