import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import type { Forwarder, Router, ServiceSource } from './contracts.ts';
import type { Entrance, Where } from './entrance.ts';
import type { TrustedProxies } from './forwarded.ts';
import { HeldRequest } from './held-request.ts';
import { HeldUpgrade } from './held-upgrade.ts';
import type { LeaseGiver } from './lease.ts';
import { Meters, type Reading } from './meters.ts';
import { problemOf, rawProblem } from './problem.ts';
import { BadRequestError, type HeadLimits, LimitError } from './request-head.ts';
import { RetryBudget } from './retry-budget.ts';
import { Silence } from './silence.ts';
import { responseOn } from './upgrades.ts';

export interface FrontLimits extends HeadLimits {
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

/** An answer that knows what it is the answer to. */
class FrontResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  held: HeldRequest | undefined;
  /** The head as it was sent. */
  declare readonly _header: string | null;

  get isEventStream(): boolean {
    return /^content-type:\s*text\/event-stream/im.test(this._header ?? '');
  }
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

export interface FrontOptions {
  readonly router: Router;
  readonly source: ServiceSource;
  readonly activator: LeaseGiver;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly limits: FrontLimits;
  readonly trustedProxies: TrustedProxies;
  /** Is told of each answer; nothing where nobody wants to know. */
  readonly onAccess: ((access: Access) => void) | undefined;
}

/** What a request needs of the front. */
export interface FrontContext extends FrontOptions {
  readonly meters: Meters;
  readonly retries: RetryBudget;
  /** Is the front about to close? */
  readonly draining: boolean;
}

/** The HTTP server: takes requests in, lets each go its way, and refuses what is none. */
export class Front implements Entrance {
  readonly #server: Server;
  readonly #context: FrontContext;
  readonly #upgraded = new Set<Duplex>();
  readonly #silence: Silence;
  #draining = false;

  constructor(options: FrontOptions) {
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
      ServerResponse: FrontResponse,
      // Node counts the target as part of the headers; which of the two is too long is told apart by us.
      maxHeaderSize: limits.maxHeaderBytes + limits.maxTargetBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: 0, // an upload may take its time
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false, // told by us, as a problem
      insecureHTTPParser: false,
      noDelay: true,
    });
    this.#server.maxHeadersCount = 0; // Node would drop the rest in silence; ours is an error
    if (this.#silence.stepMs !== undefined) this.#server.timeout = this.#silence.stepMs;
    this.#server.on('request', (request, response: FrontResponse) => {
      response.held = new HeldRequest(this.#context, request, response);
      response.held.run();
    });
    this.#server.on('checkContinue', (request, response: FrontResponse) => {
      response.held = new HeldRequest(this.#context, request, response, { expectsContinue: true });
      response.held.run();
    });
    this.#server.on('timeout', (socket) => this.#onSilence(socket));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('connect', (request, socket) => this.#onConnect(request, socket));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket));
  }

  /** @param reusePort let others of the same user listen there, too; the kernel shares connections out (SO_REUSEPORT) */
  listen({ host, port }: Where, { reusePort = false } = {}): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  async read(): Promise<Reading> {
    return this.#context.meters.read();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = this.#context.clock.after(timeoutMs, resolve);
    // Node leaves a connection open whose last answer ends only now.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), 20);
    await Promise.race([Promise.all([closed, this.#allUpgradesClosed()]), timeout]);
    timer.cancel();
    clearInterval(sweep);
    for (const socket of this.#upgraded) socket.destroy();
    this.#server.closeAllConnections();
    await closed;
  }

  // Private

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {}); // `close` follows
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    void new HeldUpgrade(this.#context, request, socket as Socket, head).run();
  }

  /** Nothing has moved on a connection for a while; whether that is too long depends on what it is waiting for. */
  #onSilence(socket: Socket & { _httpMessage?: FrontResponse }): void {
    if (this.#upgraded.has(socket)) return;
    const response = socket._httpMessage;
    if (response?.held !== undefined) {
      response.held.silent(this.#silence.measure(socket), response.isEventStream);
    } else if (socket.bytesWritten > 0) {
      socket.destroy(); // between requests, so the timer was the one of keep-alive
    }
    // Else nothing came yet: that is for the timeout of the headers.
  }

  async #allUpgradesClosed(): Promise<void> {
    await Promise.all(
      [...this.#upgraded].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => {});
    const response = responseOn(request, socket);
    new HeldRequest(this.#context, request, response).refuse(
      new BadRequestError('CONNECT is not spoken here'),
    );
  }

  /** What could not even be parsed. */
  #onClientError(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex): void {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const problem = problemOf(this.#translate(error), { service: undefined, host: undefined });
    this.#context.meters.problem(problem.type);
    // Nothing may follow half an answer.
    const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
    if (answering?.headersSent) socket.destroy();
    else socket.end(rawProblem(problem, randomUUID()));
    socket.on('error', () => {});
    this.#context.clock.after(1_000, () => socket.destroy()); // also if the client does not read it
  }

  #translate(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): Error {
    const { maxHeaderBytes, maxTargetBytes } = this.#context.limits;
    switch (error.code) {
      case 'HPE_HEADER_OVERFLOW':
        return firstLineLength(error.rawPacket) > maxTargetBytes
          ? new LimitError('TARGET_TOO_LONG', `the target is longer than ${maxTargetBytes} bytes`)
          : new LimitError('HEADERS_TOO_LARGE', `the headers are larger than ${maxHeaderBytes} bytes`);
      case 'ERR_HTTP_REQUEST_TIMEOUT':
        return Object.assign(new Error('the request did not come in time'), { code: 'REQUEST_TIMEOUT' });
      default:
        return new BadRequestError(
          `the request is not HTTP/1.1${error.code === undefined ? '' : ` (${error.code})`}`,
        );
    }
  }
}

function firstLineLength(packet: Buffer | undefined): number {
  const end = packet?.indexOf('\r\n') ?? -1;
  return end === -1 ? (packet?.length ?? 0) : end;
}
