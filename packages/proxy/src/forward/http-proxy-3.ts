import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import {
  breakOff,
  flushHead,
  relayAnswerHead,
  writeInformation,
  writeTrailers,
} from '../headers/answer-head.ts';
import { connectFailed, UpstreamError, wasClosed } from './forward-error.ts';
import type { Exchange, ForwardError, Forwarder, UpgradeExchange } from './forwarder.ts';
import type { ForwarderOptions } from './undici.ts';
import { Upgrades } from './upgrades.ts';

/** The keep-alive timeout of Node, and so of many an app, is 5 s: ours is shorter. */
const IDLE_CONNECTION_MS = 4_000;

/**
 * Forwards over http-proxy-3, kept to what it does well: sending. It gets the request with our headers, and the
 * answer is written by the same code as the other forwarder's (`selfHandleResponse`), because its own crashes on
 * some answers and hangs on others.
 */
export class HttpProxy3Forwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #upgrades = new Upgrades();
  readonly #exchanges = new WeakMap<IncomingMessage, Tracked>();
  readonly #proxy: ProxyServer;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    // With it http-proxy-3 would send by `fetch`, which merges cookies and cannot be broken off.
    delete process.env.FORCE_FETCH_PATH;
    this.#proxy = createProxyServer({ selfHandleResponse: true, toProxy: true, xfwd: false });
    // Last before it sends: its own passes would frame a DELETE anew and let the body become a second request.
    this.#proxy.before('web', 'stream', (request) => {
      const exchange = this.#exchanges.get(request as IncomingMessage);
      if (exchange !== undefined) (request as IncomingMessage).headers = outgoingHeaders(exchange);
    });
    this.#proxy.on('proxyReq', (upstream, request) => {
      const exchange = this.#exchanges.get(request);
      if (exchange !== undefined) this.#watch(exchange, upstream);
    });
    this.#proxy.on('proxyRes', (answer, request) => {
      const exchange = this.#exchanges.get(request);
      if (exchange === undefined) return;
      exchange.answer = answer;
      relay(exchange, answer);
    });
    this.#proxy.on('error', () => {}); // told through the callback of `web`
    this.#proxy.on('econnreset', () => {});
  }

  forward(exchange: Exchange): void {
    const { request, response, target, path, body } = exchange;
    const { host, port } = target.endpoint;
    const tracked = new Tracked(exchange);
    this.#exchanges.set(request, tracked);
    // It is piped, and a pipe passes no errors on.
    body?.once('error', (error) => {
      tracked.upstream?.destroy();
      tracked.failed(new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', error));
    });
    request.url = path;
    try {
      this.#proxy.web(
        request,
        response,
        {
          target: { protocol: 'http:', host, port },
          agent: this.#agent(target.instanceId),
          buffer: body ?? Readable.from([]),
        },
        (error) => {
          const why = tracked.translate(error);
          if (why !== undefined) tracked.failed(why);
        },
      );
    } catch (error) {
      tracked.failed(new UpstreamError('UPSTREAM_INVALID', 'unsent', error));
    }
  }

  upgrade(exchange: UpgradeExchange): Promise<number> {
    return this.#upgrades.forward(
      exchange,
      exchange.target.responseTimeoutMs ?? this.#options.responseTimeoutMs,
    );
  }

  async close(instanceId: string): Promise<void> {
    this.#agents.get(instanceId)?.destroy();
    this.#agents.delete(instanceId);
  }

  destroy(instanceId: string): void {
    this.#upgrades.destroy(instanceId);
    void this.close(instanceId);
  }

  // Private

  #agent(instanceId: string): Agent {
    let agent = this.#agents.get(instanceId);
    if (agent === undefined) {
      agent = new Agent({
        keepAlive: true,
        timeout: IDLE_CONNECTION_MS,
        scheduling: 'lifo',
        maxFreeSockets: 1024,
      });
      this.#agents.set(instanceId, agent);
    }
    return agent;
  }

  /** Called when it has a connection, before anything is written. */
  #watch(exchange: Tracked, upstream: ClientRequest): void {
    exchange.upstream = upstream;
    const connected = () => {
      exchange.connected = true;
    };
    if (upstream.reusedSocket) connected();
    else upstream.socket?.once('connect', connected);
    exchange.readBefore = upstream.socket?.bytesRead ?? 0;
    upstream.path = exchange.path; // an empty query got lost
    upstream.setTimeout(0); // the agent's, which is for idle connections
    const timeoutMs = exchange.target.responseTimeoutMs ?? this.#options.responseTimeoutMs;
    let timer: NodeJS.Timeout | undefined;
    // An upload may take its time: the answer's begins with its end.
    upstream.once('finish', () => {
      if (exchange.answer !== undefined) return;
      timer = setTimeout(() => {
        upstream.destroy(new UpstreamError('UPSTREAM_TIMEOUT', 'sent', new Error('no answer')));
      }, timeoutMs);
    });
    upstream.once('response', () => clearTimeout(timer));
    upstream.once('close', () => clearTimeout(timer));
    const switched = () => {
      exchange.failed(
        new UpstreamError('UPSTREAM_INVALID', 'sent', new Error('an upgrade that nobody asked for')),
      );
    };
    upstream.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode !== 101) return writeInformation(exchange.response, statusCode, rawHeaders);
      switched();
      upstream.destroy();
    });
    upstream.once('upgrade', (_, socket) => {
      switched();
      socket.on('error', () => {}).destroy();
    });
  }
}

/** An exchange that ends once, however many events say so. */
class Tracked implements Exchange {
  readonly request;
  readonly response;
  readonly target;
  readonly path;
  readonly headers;
  readonly body;
  readonly answerHeaders;
  onClosed: (() => void) | undefined;
  upstream: ClientRequest | undefined;
  answer: IncomingMessage | undefined;
  connected = false;
  /** How many bytes the connection had brought before this. */
  readBefore = 0;
  readonly #exchange: Exchange;
  #ended = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    ({
      request: this.request,
      response: this.response,
      target: this.target,
      path: this.path,
      headers: this.headers,
      body: this.body,
      answerHeaders: this.answerHeaders,
    } = exchange);
    exchange.onClosed = () => this.#onClosed();
  }

  done(): void {
    if (this.#end()) this.#exchange.done();
  }

  failed(error: ForwardError): void {
    if (!this.#end()) return;
    if (this.response.destroyed) this.#exchange.done();
    else this.#exchange.failed(error);
  }

  /** @returns nothing if the answer is whole: what the instance says too much ends the connection, and no more */
  translate(error: Error): ForwardError | undefined {
    if (this.answer?.complete) return undefined;
    if (error instanceof UpstreamError) return error;
    if (!this.connected) return connectFailed(error);
    return new UpstreamError('UPSTREAM_DISCONNECTED', this.#reached(error), error);
  }

  // Private

  #reached(error: Error): ForwardError['reached'] {
    const { upstream } = this;
    if (upstream?.socket === null || upstream?.socket.bytesRead !== this.readBefore) return 'sent';
    if (upstream?.reusedSocket) return 'stale';
    return wasClosed(error) ? 'closed' : 'sent';
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#exchange.onClosed = undefined;
    return true;
  }

  #onClosed(): void {
    this.upstream?.destroy();
    this.done();
  }
}

function relay(exchange: Exchange, answer: IncomingMessage): void {
  const { response, answerHeaders } = exchange;
  try {
    relayAnswerHead(response, answer, answerHeaders);
  } catch (error) {
    exchange.failed(new UpstreamError('UPSTREAM_INVALID', 'sent', error));
    answer.destroy();
    return;
  }
  let bodyBegan = false;
  setImmediate(() => bodyBegan || flushHead(response));
  answer.on('data', (chunk: Buffer) => {
    bodyBegan = true;
    if (response.write(chunk)) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  });
  answer.on('error', () => {}); // `close` follows
  answer.once('close', () => {
    if (!answer.complete) {
      exchange.failed(
        new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', new Error('the instance broke its answer off')),
      );
      return;
    }
    try {
      writeTrailers(response, answer.rawTrailers);
      response.end();
    } catch {
      breakOff(response);
    }
    exchange.done();
  });
}

function outgoingHeaders({ headers, body }: Exchange): NodeJS.Dict<string | string[]> {
  const outgoing: NodeJS.Dict<string | string[]> = Object.create(null); // a header may be called `constructor`
  const spelling = new Map<string, string>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const key = spelling.get(name.toLowerCase()) ?? name;
    spelling.set(name.toLowerCase(), key);
    const before = outgoing[key];
    outgoing[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  if (body !== undefined && !spelling.has('content-length')) outgoing['Transfer-Encoding'] = 'chunked';
  return outgoing;
}
