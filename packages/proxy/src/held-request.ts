import type { IncomingMessage, ServerResponse } from 'node:http';
import { breakOff } from './answer.ts';
import type { Exchange, ForwardError, Target } from './contracts.ts';
import { codeOf, SilenceError } from './errors.ts';
import type { FrontContext } from './front.ts';
import { Held } from './held.ts';
import type { Lease } from './lease.ts';
import { writeOwnAnswer, writeProblem } from './problem.ts';
import { RequestBody } from './request-body.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** How often one request may be sent again. */
const MAX_RETRIES = 3;
/** Why a body was not passed on to its end, if that is the answer. */
const REFUSED_FOR_ITS_BODY = new Set(['BODY_TOO_LARGE', 'REQUEST_TIMEOUT', 'UPSTREAM_TIMEOUT']);

const ignore = () => {};

/** A client's request, from its head to the end of its answer. */
export class HeldRequest extends Held implements Exchange {
  readonly response: ServerResponse;
  readonly #expectsContinue: boolean;
  body: RequestBody | undefined;
  onClosed: (() => void) | undefined;
  #lease: Lease | undefined;
  #retries = 0;
  #error: unknown;

  constructor(
    context: FrontContext,
    request: IncomingMessage,
    response: ServerResponse,
    { expectsContinue = false }: { expectsContinue?: boolean } = {},
  ) {
    super(context, request);
    this.response = response;
    this.#expectsContinue = expectsContinue;
    response.on('close', this.#onClose);
    response.on('error', ignore); // `close` follows
  }

  get target(): Target {
    if (this.#lease === undefined) throw new Error('a request without a lease has no target');
    return this.#lease;
  }

  /** Lets the request go its way. */
  run(): void {
    this.context.retries.earn();
    try {
      this.route();
      if (this.head.path === '*') {
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
    const close = unread || this.context.draining;
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
    } else if (lease !== undefined && this.#mayRetry(error)) {
      this.#retries += 1;
      void lease.examine().then(() => this.#wait());
    } else {
      if (error.code === 'UPSTREAM_DISCONNECTED') void lease?.examine();
      this.refuse(error);
    }
  }

  /**
   * Nothing has moved for so long, neither from the client nor to it.
   *
   * @param endless is the answer one that may be silent for hours?
   */
  silent(ms: number, endless: boolean): void {
    const { bodyTimeoutMs, idleTimeoutMs } = this.context.limits;
    const { response, request } = this;
    if (response.headersSent) {
      if (ms < idleTimeoutMs || endless) return;
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
      if (this.#expectsContinue && this.#retries === 0) this.response.writeContinue();
      this.context.forwarder.forward(this);
    } catch (error) {
      lease.release();
      this.refuse(error);
    }
  }

  /**
   * Any request, if not one byte of it was written to the instance. An idempotent one without a body, once, if the
   * connection was closed before any byte of an answer: it had been used before, or the engine's port relay had taken
   * it for an app that is dead. Nothing else.
   */
  #mayRetry({ code, reached }: ForwardError): boolean {
    if (code !== 'UPSTREAM_DISCONNECTED' || this.response.headersSent || this.#retries >= MAX_RETRIES)
      return false;
    const unsent = reached === 'unsent' && this.body?.started !== true;
    const unanswered =
      (reached === 'stale' || reached === 'closed') &&
      this.#retries === 0 &&
      this.body === undefined &&
      IDEMPOTENT.has(this.request.method ?? '');
    return (unsent || unanswered) && this.context.retries.spend();
  }

  /** RFC 9110 §9.3.7: `OPTIONS *` asks the server, not a service. */
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
  };
}
