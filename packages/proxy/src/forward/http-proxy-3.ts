import { Agent, type ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import { sendAnswerHead } from '../headers/answer-head.ts';
import { passHintsOn } from '../headers/hints.ts';
import { passTrailersOn } from '../headers/trailers.ts';
import { connectFailed, UpstreamError, wasClosed } from './forward-error.ts';
import type {
  ForwardError,
  ForwardedRequest,
  ForwardedUpgrade,
  Forwarder,
  Forwarding,
  Settled,
} from './forwarder.ts';
import type { ForwarderOptions } from './undici.ts';
import { Upgrades } from './upgrades.ts';

/** Shorter than Node's keep-alive timeout of 5 s, which many apps have. */
const IDLE_CONNECTION_MS = 4_000;

/** A dummy connection, since http-proxy-3 needs one for each request. */
const NO_SOCKET = new Socket();

/**
 * Forwards over http-proxy-3, using only what it does well: sending. It gets a stand-in for the client's request with
 * our headers; answers are written by the same code as in the other forwarder (`selfHandleResponse`), because its own
 * code crashes on some answers and hangs on others.
 */
export class HttpProxy3Forwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #upgrades = new Upgrades();
  /** By the request passed to http-proxy-3. */
  readonly #underWay = new WeakMap<IncomingMessage, UnderWay>();
  readonly #proxy: ProxyServer;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    // If it is set, http-proxy-3 sends with `fetch`, which merges cookies and cannot be aborted.
    delete process.env.FORCE_FETCH_PATH;
    this.#proxy = createProxyServer({ selfHandleResponse: true, toProxy: true, xfwd: false });
    // Runs just before it sends: its own passes would change the framing of a DELETE, so that the body becomes a
    // second request.
    this.#proxy.before('web', 'stream', (standIn) => {
      const underWay = this.#underWay.get(standIn as IncomingMessage);
      if (underWay !== undefined) (standIn as IncomingMessage).headers = headersOf(underWay.request);
    });
    this.#proxy.on('proxyReq', (upstream, standIn) => {
      const underWay = this.#underWay.get(standIn);
      if (underWay !== undefined) this.#watch(underWay, upstream);
    });
    this.#proxy.on('proxyRes', (answer, standIn) => {
      const underWay = this.#underWay.get(standIn);
      if (underWay === undefined) return;
      underWay.answer = answer;
      relay(underWay, answer);
    });
    this.#proxy.on('error', () => {}); // reported through the callback of `web`
    this.#proxy.on('econnreset', () => {});
  }

  forward(request: ForwardedRequest, settled: Settled): Forwarding {
    const { method, target, path, body } = request;
    const { host, port } = target.endpoint;
    const underWay = new UnderWay(request, settled);
    const standIn = Object.assign(new IncomingMessage(NO_SOCKET), { method, url: path });
    this.#underWay.set(standIn, underWay);
    // A pipe does not pass errors on.
    body?.once('error', (error) => {
      underWay.upstream?.destroy();
      underWay.end(new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', error));
    });
    try {
      this.#proxy.web(
        standIn,
        new ServerResponse(standIn),
        {
          target: { protocol: 'http:', host, port },
          agent: this.#agent(target.instanceId),
          buffer: body ?? Readable.from([]),
        },
        (error) => {
          const why = underWay.translate(error);
          if (why !== undefined) underWay.end(why);
        },
      );
    } catch (error) {
      underWay.end(new UpstreamError('UPSTREAM_INVALID', 'unsent', error));
    }
    return underWay;
  }

  upgrade(upgrade: ForwardedUpgrade): Promise<number> {
    const { responseTimeoutMs = this.#options.responseTimeoutMs } = upgrade.target;
    return this.#upgrades.forward(upgrade, responseTimeoutMs);
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

  /** Called when the request has a connection, before anything is written. */
  #watch(underWay: UnderWay, upstream: ClientRequest): void {
    const { path, target, outgoing } = underWay.request;
    if (underWay.ended) {
      upstream.destroy(); // the client left before there was a connection
      return;
    }
    underWay.upstream = upstream;
    const connected = () => {
      underWay.connected = true;
    };
    if (upstream.reusedSocket) connected();
    else upstream.socket?.once('connect', connected);
    underWay.readBefore = upstream.socket?.bytesRead ?? 0;
    upstream.path = path; // http-proxy-3 drops an empty query
    upstream.setTimeout(0); // the agent's timeout is meant for idle connections
    const timeoutMs = target.responseTimeoutMs ?? this.#options.responseTimeoutMs;
    let timer: NodeJS.Timeout | undefined;
    // The time for the answer begins after the upload, which may take long.
    upstream.once('finish', () => {
      if (underWay.answer !== undefined) return;
      timer = setTimeout(() => {
        upstream.destroy(new UpstreamError('UPSTREAM_TIMEOUT', 'sent', new Error('no answer')));
      }, timeoutMs);
    });
    upstream.once('response', () => clearTimeout(timer));
    upstream.once('close', () => clearTimeout(timer));
    const switched = () => {
      underWay.end(
        new UpstreamError('UPSTREAM_INVALID', 'sent', new Error('an upgrade that nobody asked for')),
      );
    };
    upstream.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode !== 101) return passHintsOn(outgoing, statusCode, rawHeaders);
      switched();
      upstream.destroy();
    });
    upstream.once('upgrade', (_, socket) => {
      switched();
      socket.on('error', () => {}).destroy();
    });
  }
}

/** A request being forwarded, which ends only once, however many events report it. */
class UnderWay implements Forwarding {
  readonly request: ForwardedRequest;
  upstream: ClientRequest | undefined;
  answer: IncomingMessage | undefined;
  connected = false;
  /** How many bytes had been read from the connection before this exchange. */
  readBefore = 0;
  ended = false;
  readonly #settled: Settled;

  constructor(request: ForwardedRequest, settled: Settled) {
    this.request = request;
    this.#settled = settled;
  }

  abort(): void {
    if (this.ended) return;
    this.upstream?.destroy();
    this.end();
  }

  end(error?: ForwardError): void {
    if (this.ended) return;
    this.ended = true;
    this.#settled(this.request.outgoing.destroyed ? undefined : error);
  }

  /** @returns undefined if the answer is complete: surplus bytes of the instance end the connection, nothing else */
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
}

function relay(underWay: UnderWay, answer: IncomingMessage): void {
  const { outgoing, answerHeaders } = underWay.request;
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  try {
    sendAnswerHead(outgoing, statusCode, statusMessage, rawHeaders, answerHeaders);
  } catch (error) {
    underWay.end(new UpstreamError('UPSTREAM_INVALID', 'sent', error));
    answer.destroy();
    return;
  }
  let bodyBegan = false;
  setImmediate(() => bodyBegan || outgoing.flushHead());
  answer.on('data', (chunk: Buffer) => {
    bodyBegan = true;
    if (outgoing.write(chunk)) return;
    answer.pause();
    outgoing.onDrain(() => answer.resume());
  });
  answer.on('error', () => {}); // `close` follows
  answer.once('close', () => {
    if (!answer.complete) {
      underWay.end(
        new UpstreamError('UPSTREAM_DISCONNECTED', 'sent', new Error('the instance broke its answer off')),
      );
      return;
    }
    try {
      passTrailersOn(outgoing, answer.rawTrailers);
      outgoing.end();
    } catch {
      outgoing.breakOff();
    }
    underWay.end();
  });
}

/** Headers in the form of node:http, with all values of a name together. */
function headersOf({ headers, body }: ForwardedRequest): NodeJS.Dict<string | string[]> {
  const outgoing: NodeJS.Dict<string | string[]> = Object.create(null); // a header may be named `constructor`
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
