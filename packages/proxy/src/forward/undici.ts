import { codeOf, type Endpoint } from '@cless/model';
import { Client, type Dispatcher } from 'undici';
import type { Outgoing } from '../exchange/outgoing.ts';
import { type Framing, sendAnswerHead } from '../headers/answer-head.ts';
import { passHintsOn } from '../headers/hints.ts';
import { passTrailersOn } from '../headers/trailers.ts';
import { connectFailed, UpstreamError, wasClosed } from './forward-error.ts';
import type {
  ForwardError,
  ForwardedRequest,
  ForwardedUpgrade,
  Forwarder,
  Forwarding,
  Target,
} from './forwarder.ts';
import { InstanceSocket } from './instance-socket.ts';
import { Upgrades } from './upgrades.ts';

export interface ForwarderOptions {
  /** How long an instance may take to send the head of its answer, in milliseconds. */
  readonly responseTimeoutMs: number;
}

/** Forwards over undici's dispatcher; upgrades over node:http. */
export class UndiciForwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #connections = new Map<string, InstanceConnections>();
  readonly #upgrades = new Upgrades();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  forward(request: ForwardedRequest, settled: Settled): Forwarding {
    const { target } = request;
    let connections = this.#connections.get(target.instanceId);
    if (connections === undefined) {
      connections = new InstanceConnections(target, this.#options);
      this.#connections.set(target.instanceId, connections);
    }
    return connections.send(request, settled);
  }

  upgrade(upgrade: ForwardedUpgrade): Promise<number> {
    const { responseTimeoutMs = this.#options.responseTimeoutMs } = upgrade.target;
    return this.#upgrades.forward(upgrade, responseTimeoutMs);
  }

  async close(instanceId: string): Promise<void> {
    await this.#take(instanceId)?.close();
  }

  destroy(instanceId: string, reason: Error): void {
    this.#upgrades.destroy(instanceId);
    this.#take(instanceId)?.destroy(reason);
  }

  // Private

  #take(instanceId: string): InstanceConnections | undefined {
    const connections = this.#connections.get(instanceId);
    this.#connections.delete(instanceId);
    return connections;
  }
}

type Settled = (error?: ForwardError) => void;

/** A keep-alive connection, which carries one request at a time. */
interface Connection {
  readonly client: Client;
  /** Undefined until it is connected. */
  socket: InstanceSocket | undefined;
  /** Has it carried an answer since it was opened? */
  used: boolean;
}

/**
 * The connections to one instance. undici's Pool does not say whether a request went over a fresh or a reused
 * connection, and what may be retried depends on it.
 */
class InstanceConnections {
  readonly #endpoint: Endpoint;
  readonly responseTimeoutMs: number;
  readonly #all = new Set<Connection>();
  /** Last in, first out, so that surplus connections run into their keep-alive timeout. */
  readonly #free: Connection[] = [];

  constructor({ endpoint, responseTimeoutMs }: Target, options: ForwarderOptions) {
    this.#endpoint = endpoint;
    this.responseTimeoutMs = responseTimeoutMs ?? options.responseTimeoutMs;
  }

  send(request: ForwardedRequest, settled: Settled): Forwarding {
    const connection = this.#free.pop() ?? this.#open();
    const { method, path, headers, body = null } = request;
    const answer = new Answer(request, settled, connection, this);
    connection.client.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, answer);
    return answer;
  }

  /** Called when the connection can carry the next request. */
  free(connection: Connection): void {
    this.#free.push(connection);
  }

  /** Called when the connection must not be used again. */
  discard(connection: Connection): void {
    this.#all.delete(connection);
    connection.client.destroy().catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.close()));
  }

  destroy(reason: Error): void {
    for (const { client } of this.#all) client.destroy(reason).catch(() => {});
  }

  // Private

  #open(): Connection {
    const { host, port } = this.#endpoint;
    const client = new Client(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
      connect: (_, callback) => {
        InstanceSocket.connect(this.#endpoint, (error, socket) => {
          if (error !== undefined) return callback(error, null);
          connection.socket = socket;
          callback(null, socket);
        });
      },
      headersTimeout: this.responseTimeoutMs,
      bodyTimeout: 0,
      pipelining: 1,
      allowH2: false,
    });
    const connection: Connection = { client, socket: undefined, used: false };
    client.on('disconnect', () => {
      connection.used = false;
      // Removed also if it ends while free; otherwise there would be thousands after a burst.
      const at = this.#free.lastIndexOf(connection);
      if (at === -1) return;
      this.#free.splice(at, 1);
      this.discard(connection);
    });
    this.#all.add(connection);
    return connection;
  }
}

/** Writes an instance's answer to the client as it is received. */
class Answer implements Dispatcher.DispatchHandler, Forwarding {
  readonly #outgoing: Outgoing;
  readonly #added: readonly string[];
  readonly #settled: Settled;
  readonly #connection: Connection;
  readonly #connections: InstanceConnections;
  #controller: Dispatcher.DispatchController | undefined;
  #sentAtMs: number | undefined;
  /** Limits the wait for the final answer after informational ones. */
  #timer: NodeJS.Timeout | undefined;
  #framing: Framing = 'connection';
  #bodyBegan = false;
  #ended = false;

  constructor(
    { outgoing, answerHeaders }: ForwardedRequest,
    settled: Settled,
    connection: Connection,
    connections: InstanceConnections,
  ) {
    this.#outgoing = outgoing;
    this.#added = answerHeaders;
    this.#settled = settled;
    this.#connection = connection;
    this.#connections = connections;
  }

  abort(): void {
    if (!this.#ended) this.#controller?.abort(new Error('the client left'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#outgoing.destroyed) controller.abort(new Error('the client left'));
    else this.#connection.socket?.expectAnswer();
  }

  onRequestSent(): void {
    this.#sentAtMs = performance.now();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, reason = ''): void {
    const headers = asStrings(controller.rawHeaders);
    if (status < 200 && status !== 101) {
      this.#boundTheWait();
      passHintsOn(this.#outgoing, status, headers);
      return;
    }
    clearTimeout(this.#timer);
    try {
      this.#framing = sendAnswerHead(this.#outgoing, status, reason, headers, this.#added);
      process.nextTick(flushUnlessBegun, this);
    } catch (error) {
      controller.abort(new UpstreamError('UPSTREAM_INVALID', 'sent', error));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const outgoing = this.#outgoing;
    if (!this.#bodyBegan) {
      this.#bodyBegan = true;
      if (chunk.length === this.#framing) {
        outgoing.endWith(chunk);
        return;
      }
    }
    if (outgoing.write(chunk)) return;
    controller.pause();
    outgoing.onDrain(() => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const outgoing = this.#outgoing;
    const broken = this.#connection.socket?.errored ?? null;
    if (broken !== null && this.#framing === 'connection') {
      // undici takes a reset for the end of the answer (RFC 9112 §8).
      this.onResponseError(controller, broken);
      return;
    }
    this.#ended = true;
    this.#connection.used = true;
    this.#connections.free(this.#connection);
    try {
      if (!outgoing.writableEnded) {
        passTrailersOn(outgoing, asStrings(controller.rawTrailers));
        outgoing.end();
      }
    } catch {
      outgoing.breakOff();
    }
    this.#settled();
  }

  onResponseError(_: unknown, error: Error): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    const why = this.#translate(error);
    this.#connections.discard(this.#connection);
    this.#settled(this.#outgoing.destroyed ? undefined : why);
  }

  flushUnlessBegun(): void {
    if (!this.#bodyBegan) this.#outgoing.flushHead();
  }

  // Private

  /** undici restarts its timeout with each informational answer, of which there may be infinitely many. */
  #boundTheWait(): void {
    if (this.#sentAtMs === undefined || this.#timer !== undefined) return;
    const leftMs = this.#connections.responseTimeoutMs - (performance.now() - this.#sentAtMs);
    this.#timer = setTimeout(() => {
      this.#controller?.abort(new UpstreamError('UPSTREAM_TIMEOUT', 'sent', new Error('no answer')));
    }, leftMs);
  }

  #translate(error: Error): ForwardError {
    if (error instanceof UpstreamError) return error;
    if (this.#controller === undefined) return connectFailed(error);
    const code = codeOf(error);
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
      return new UpstreamError('UPSTREAM_TIMEOUT', 'sent', error);
    return new UpstreamError('UPSTREAM_DISCONNECTED', this.#reached(error), error);
  }

  #reached(error: Error): ForwardError['reached'] {
    if (this.#connection.socket?.answered) return 'sent';
    if (this.#connection.used) return 'stale';
    return wasClosed(error) ? 'closed' : 'sent';
  }
}

type RawHeaders = Dispatcher.DispatchController['rawHeaders'];

/** Header bytes are Latin-1 (RFC 9110 §5.5: obs-text), as in node:http. */
function asStrings(raw: RawHeaders): string[] {
  return Array.isArray(raw)
    ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
    : [];
}

/** A body in the same packet as the head arrives before the next tick. */
function flushUnlessBegun(answer: Answer): void {
  answer.flushUnlessBegun();
}
