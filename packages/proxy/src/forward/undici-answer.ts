import { codeOf } from '@cless/model';
import type { Client, Dispatcher } from 'undici';
import type { Outgoing } from '../exchange/outgoing.ts';
import { type Framing, sendAnswerHead } from '../headers/answer-head.ts';
import { passHintsOn } from '../headers/hints.ts';
import { passTrailersOn } from '../headers/trailers.ts';
import { connectFailed, UpstreamError, wasClosed } from './forward-error.ts';
import type { ForwardError, ForwardedRequest, Forwarding, Settled } from './forwarder.ts';
import type { InstanceSocket } from './instance-socket.ts';

/** A keep-alive connection, which carries one request at a time. */
export interface UndiciConnection {
  readonly client: Client;
  /** Undefined until it is connected. */
  socket: InstanceSocket | undefined;
  /** Has it carried an answer since it was opened? */
  used: boolean;
}

/** The part of an instance's connections that an answer on one of them needs. */
export interface UndiciConnections {
  /** How long the instance may take to send the head of its answer, in milliseconds. */
  readonly responseTimeoutMs: number;
  /** Called when the connection can carry the next request. */
  free(connection: UndiciConnection): void;
  /** Called when the connection must not be used again. */
  discard(connection: UndiciConnection): void;
}

/** Writes an instance's answer to the client as it is received. */
export class UndiciAnswer implements Dispatcher.DispatchHandler, Forwarding {
  readonly #outgoing: Outgoing;
  readonly #added: readonly string[];
  readonly #settled: Settled;
  readonly #connection: UndiciConnection;
  readonly #connections: UndiciConnections;
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
    connection: UndiciConnection,
    connections: UndiciConnections,
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
function flushUnlessBegun(answer: UndiciAnswer): void {
  answer.flushUnlessBegun();
}
