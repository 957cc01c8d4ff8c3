import type { IncomingMessage } from 'node:http';
import { writeProblem } from '../answer/problem.ts';
import type { Connection } from '../edge/connection.ts';
import type { EarlyBytes } from '../edge/early-bytes.ts';
import type { EdgeContext } from '../edge/http1.ts';
import { lastResponseOn } from '../edge/response.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import type { UpgradeExchange } from '../forward/forwarder.ts';
import { Held } from './held.ts';

/** A client's upgrade, from its head to the end of the connection. A WebSocket may say nothing for hours. */
export class HeldUpgrade extends Held {
  readonly #protocol: string;
  readonly #early: EarlyBytes;
  /** What follows is the upgraded protocol's, or for nobody. */
  readonly whole = false;

  /** @param protocol what it offers to switch to */
  constructor(
    context: EdgeContext,
    connection: Connection,
    request: IncomingMessage,
    protocol: string,
    early: EarlyBytes,
  ) {
    super(context, connection, request);
    this.#protocol = protocol;
    this.#early = early;
  }

  begin(): void {
    void this.#run();
  }

  // Private

  /** Lets the upgrade go its way, until the connection has ended or it was refused. Never rejects. */
  async #run(): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort(new Error('the client left'));
    this.connection.socket.once('close', leave);
    let status: number;
    let failure: unknown;
    try {
      this.context.retries.earn();
      this.route();
      if (/\b100-continue\b/i.test(this.request.headers.expect ?? '')) {
        this.connection.socket.write('HTTP/1.1 100 Continue\r\n\r\n'); // RFC 9110 §7.8
      }
      status = await this.#forward(left.signal);
    } catch (error) {
      failure = error;
      status = this.#refuse(error);
    } finally {
      this.connection.socket.off('close', leave);
    }
    this.ended(status, failure);
    this.connection.over();
  }

  async #forward(left: AbortSignal): Promise<number> {
    for (;;) {
      const lease = await this.lease(left);
      let failure: UpstreamError;
      try {
        left.throwIfAborted();
        return await this.context.forwarder.upgrade(this.#exchange(lease));
      } catch (error) {
        left.throwIfAborted(); // that the client left says nothing of the instance
        if (!(error instanceof UpstreamError) || error.code !== 'UPSTREAM_DISCONNECTED') throw error;
        failure = error;
      } finally {
        lease.release();
      }
      const examined = lease.examine();
      if (!this.retries(failure, 'none')) throw failure;
      await examined;
    }
  }

  #exchange(target: UpgradeExchange['target']): UpgradeExchange {
    const { request, path, headers, answerHeaders } = this;
    return {
      request,
      socket: this.connection.socket,
      protocol: this.#protocol,
      takeEarly: () => this.#early.take(),
      target,
      path,
      headers,
      answerHeaders,
    };
  }

  #refuse(error: unknown): number {
    const { socket } = this.connection;
    if (socket.destroyed) return 499;
    this.#early.take();
    const problem = this.problem(error);
    writeProblem(this.request, lastResponseOn(socket, this.request), problem, {
      service: this.service,
      requestId: this.requestId,
      close: true,
    });
    this.connection.close();
    return problem.status;
  }
}
