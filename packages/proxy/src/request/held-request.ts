import type { IncomingMessage } from 'node:http';
import type { Lease } from '@cless/activator';
import { codeOf } from '@cless/model';
import { writeOwnAnswer, writeProblem } from '../answer/problem.ts';
import type { Connection } from '../edge/connection.ts';
import type { EdgeContext } from '../edge/http1.ts';
import type { EdgeResponse } from '../edge/response.ts';
import { SilenceError } from '../errors.ts';
import type { Exchange, ForwardError, Target } from '../forward/forwarder.ts';
import { breakOff } from '../headers/answer-head.ts';
import { RequestBody } from './body.ts';
import { Held } from './held.ts';
import { endsHere } from './hops.ts';

/** Why a body was not passed on to its end, if that is the answer. */
const REFUSED_FOR_ITS_BODY = new Set([
  'BAD_REQUEST',
  'BODY_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'UPSTREAM_TIMEOUT',
]);
/** After these it is not certain where the request ends, or what it is. */
const ENDS_CONNECTION = new Set([
  'BAD_REQUEST',
  'INVALID_HOST',
  'HTTP_VERSION',
  'EXPECTATION_FAILED',
  'METHOD_NOT_ALLOWED', // TRACE, which may have no body
  'TARGET_TOO_LONG',
  'HEADERS_TOO_LARGE',
  'BODY_TOO_LARGE',
  'REQUEST_TIMEOUT',
]);

const CLOSE = /(?:^|,)\s*close\s*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)\s*keep-alive\s*(?:,|$)/i;

const ignore = () => {};

/** A client's request, from its head to the end of its answer. */
export class HeldRequest extends Held implements Exchange {
  readonly response: EdgeResponse;
  readonly #expectsContinue: boolean;
  body: RequestBody | undefined;
  onClosed: (() => void) | undefined;
  #lease: Lease | undefined;
  #error: unknown;
  #unreadable: Error | undefined;

  constructor(
    context: EdgeContext,
    connection: Connection,
    request: IncomingMessage,
    response: EdgeResponse,
    { expectsContinue = false }: { expectsContinue?: boolean } = {},
  ) {
    super(context, connection, request);
    this.response = response;
    this.#expectsContinue = expectsContinue;
    response.on('close', this.#onClose);
    response.on('error', ignore); // `close` follows
  }

  get target(): Target {
    if (this.#lease === undefined) throw new Error('a request without a lease has no target');
    return this.#lease;
  }

  get whole(): boolean {
    return this.request.complete;
  }

  /** Lets the request go its way. */
  begin(): void {
    this.context.retries.earn();
    try {
      if (this.#unreadable !== undefined) throw this.#unreadable;
      this.route();
      if (this.request.httpVersionMinor === 0 && !this.#isKeptAlive) {
        this.response.shouldKeepAlive = false;
        this.connection.end();
      }
      if (this.head.path === '*' || endsHere(this.request)) {
        this.#answerOptions();
        return;
      }
      const lease = this.tryLease();
      if (lease === undefined) void this.#wait();
      else this.#forward(lease);
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Answers with what the error stands for. */
  refuse(error: unknown): void {
    this.#error ??= error;
    const { response, request } = this;
    if (response.destroyed) return;
    if (response.headersSent) {
      breakOff(response); // a broken answer, never a short one that looks whole
      return;
    }
    const unread = !request.complete;
    const close = unread || this.context.draining || ENDS_CONNECTION.has(codeOf(error) ?? '');
    if (close) this.connection.end();
    const fixed = this.fixedAnswer(error);
    if (fixed !== undefined) {
      writeOwnAnswer(request, response, fixed, { requestId: this.requestId, close });
    } else {
      writeProblem(request, response, this.problem(error), {
        service: this.service,
        requestId: this.requestId,
        close,
      });
    }
    if (unread) request.resume();
  }

  /** The forwarder has handed the answer over, or the client has left. */
  done(): void {
    this.#lease?.release();
  }

  /** The forwarder got no whole answer. */
  failed(error: ForwardError): void {
    const lease = this.#lease;
    lease?.release();
    const cause = this.body?.errored;
    if (REFUSED_FOR_ITS_BODY.has(codeOf(cause) ?? '')) {
      this.refuse(cause);
    } else if (lease !== undefined && !this.response.headersSent && this.retries(error, this.#taken)) {
      void lease.examine().then(() => this.#wait());
    } else {
      if (error.code === 'UPSTREAM_DISCONNECTED') void lease?.examine();
      this.refuse(error);
    }
  }

  /** The rest of its body is no HTTP. One that waits says so when it is its turn. */
  unreadable(error: Error): void {
    this.#unreadable = error;
    if (this.connection.current !== this || this.response.writableEnded) return;
    if (this.body?.started) this.body.destroy(error);
    else this.refuse(error);
  }

  drained(): void {
    this.response.emit('drain');
  }

  /** Ends what has been begun of its answer, as a broken one. */
  breakOff(): void {
    if (this.response.headersSent) breakOff(this.response);
  }

  /** Nothing has moved for so long, neither from the client nor to it. */
  silent(ms: number): void {
    const { bodyTimeoutMs, idleTimeoutMs } = this.context.limits;
    const { response, request } = this;
    if (response.headersSent) {
      if (ms < idleTimeoutMs || response.isEventStream) return;
      this.#error ??= new Error(`nothing moved for ${ms} ms`);
      breakOff(response); // a broken answer, never a short one that looks whole
    } else if (this.body?.started && !request.complete) {
      // Who is silent: the client, or an instance that does not read?
      if (request.isPaused()) {
        if (ms >= idleTimeoutMs) this.body.destroy(new SilenceError('UPSTREAM_TIMEOUT', ms));
      } else if (ms >= bodyTimeoutMs) {
        this.body.destroy(new SilenceError('REQUEST_TIMEOUT', ms));
      }
    }
    // Else it is held, or waits for its answer: other limits count.
  }

  // Private

  async #wait(): Promise<void> {
    if (this.response.destroyed) return; // it left while the instance was examined
    const left = new AbortController();
    const leave = () => left.abort(new Error('the client left'));
    this.response.once('close', leave);
    try {
      const lease = await this.lease(left.signal);
      if (left.signal.aborted) lease.release();
      else this.#forward(lease);
    } catch (error) {
      if (!left.signal.aborted) this.refuse(error);
    } finally {
      this.response.off('close', leave);
    }
  }

  #forward(lease: Lease): void {
    this.#lease = lease;
    try {
      // A new one for each try: the old one may be destroyed, but nothing was taken through it.
      if (this.head.hasBody) this.body = new RequestBody(this.request, this.context.limits.maxBodyBytes);
      if (this.#expectsContinue && !this.isRetry) this.response.writeContinue();
      this.context.forwarder.forward(this);
    } catch (error) {
      lease.release();
      this.refuse(error);
    }
  }

  /** Does one of HTTP/1.0 say that it is not the last? Node also believes `Proxy-Connection`, or the later of two headers. */
  get #isKeptAlive(): boolean {
    const { connection = '' } = this.head;
    return KEEP_ALIVE.test(connection) && !CLOSE.test(connection);
  }

  /** What became of the body. */
  get #taken(): 'untouched' | 'none' | 'taken' {
    if (this.body === undefined) return 'none';
    return this.body.started ? 'taken' : 'untouched';
  }

  /** RFC 9110 §9.3.7, §7.6.2: `OPTIONS *` asks the server, not a service; and so does one that may go no further. */
  #answerOptions(): void {
    this.response.writeHead(204, ['X-Request-Id', this.requestId]).end();
  }

  readonly #onClose = () => {
    const { response } = this;
    this.onClosed?.();
    const whole = response.writableFinished;
    this.ended(
      response.headersSent ? response.statusCode : 499,
      this.#error ?? (whole ? undefined : new Error('broken off')),
    );
    this.connection.over();
  };
}
