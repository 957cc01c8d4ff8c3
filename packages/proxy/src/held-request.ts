import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange, FixedAnswer, ForwardError, Revision, ServedService, Target } from './contracts.ts';
import { codeOf, ServiceNotFoundError, ShuttingDownError, SilenceError } from './errors.ts';
import { outgoingHeaders } from './forwarded.ts';
import type { FrontContext } from './front.ts';
import type { Activation, Lease } from './lease.ts';
import type { ServiceMeter } from './meters.ts';
import { problemOf, writeOwnAnswer, writeProblem } from './problem.ts';
import { RequestBody } from './request-body.ts';
import { BadRequestError, type RequestHead, readHead } from './request-head.ts';
import { responseOn } from './upgrades.ts';

/** Until the head is read. */
const UNREAD: RequestHead = {
  host: '',
  path: '/',
  hasBody: false,
  connection: undefined,
  via: undefined,
  requestId: undefined,
};
const VALID_REQUEST_ID = /^[\w.:+/=-]{1,128}$/;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** How often one request may be sent again. */
const MAX_RETRIES = 3;
/** What a client may send after its upgrade before that is answered. */
const MAX_HELD_BYTES = 64 * 1024;

/** Why a body was not passed on to its end, if that is the answer. */
const REFUSED_FOR_ITS_BODY = new Set(['BODY_TOO_LARGE', 'REQUEST_TIMEOUT', 'UPSTREAM_TIMEOUT']);

const ignore = () => {};

/** What requests and upgrades have in common: whom they are for, and getting a lease. */
abstract class Held {
  protected readonly context: FrontContext;
  readonly request: IncomingMessage;
  protected readonly beganMs: number;
  protected head = UNREAD;
  protected service: string | undefined;
  protected waited: Activation | undefined;
  #tag: string | undefined;
  #served: ServedService | undefined;
  #revision: Revision | undefined;
  /** What it gets if the service sleeps; nothing for a request that wakes it. */
  #whileAsleep: FixedAnswer | 'problem' | undefined;
  #meter: ServiceMeter | undefined;
  #requestId: string | undefined;

  constructor(context: FrontContext, request: IncomingMessage) {
    this.context = context;
    this.request = request;
    this.beganMs = context.clock.now();
  }

  /** The client's, if it gave one that can be passed on; else ours. */
  protected get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.head.requestId;
      this.#requestId = given !== undefined && VALID_REQUEST_ID.test(given) ? given : randomUUID();
    }
    return this.#requestId;
  }

  get path(): string {
    return this.head.path;
  }

  get headers(): string[] {
    const { request } = this;
    const trusted = this.context.trustedProxies.trusts(request.socket);
    return outgoingHeaders(request, this.head, this.requestId, trusted);
  }

  get answerHeaders(): readonly string[] {
    const headers = ['X-Request-Id', this.requestId];
    if (this.waited !== undefined) {
      headers.push('Server-Timing', `cless-${this.waited.kind};dur=${this.waited.durationMs.toFixed(1)}`);
    }
    const cookie = this.#revision && this.#served?.cookie(this.request, this.#revision);
    if (cookie !== undefined) headers.push('Set-Cookie', cookie);
    return headers;
  }

  /** Reads the head and finds the service. @throws an error with a code that `problem.ts` knows */
  protected route(): void {
    const { draining, limits, router } = this.context;
    if (draining) throw new ShuttingDownError();
    this.head = readHead(this.request, limits);
    const route = router.route(this.head.host);
    if (route === undefined) throw new ServiceNotFoundError(this.head.host);
    this.service = route.service;
    this.#tag = route.tag;
  }

  /** A lease, if an instance is ready. @throws an error with a code that `problem.ts` knows */
  protected tryLease(): Lease | undefined {
    const served = this.context.source.known(this.service ?? '');
    if (served === undefined) return undefined;
    const revision = this.#choose(served);
    return this.context.activator.tryLease(revision, this.#whileAsleep === undefined);
  }

  /** Waits for a lease as long as the client does. */
  protected async lease(left: AbortSignal): Promise<Lease> {
    const { source, activator } = this.context;
    const service = this.service ?? '';
    const served = source.known(service) ?? (await source.resolve(service));
    if (served === undefined) throw new ServiceNotFoundError(this.head.host);
    left.throwIfAborted();
    const revision = this.#choose(served);
    const wakes = this.#whileAsleep === undefined;
    const lease = activator.tryLease(revision, wakes) ?? (await activator.lease(revision, left, wakes));
    this.waited ??= lease.activation;
    return lease;
  }

  #choose(served: ServedService): Revision {
    if (this.#meter === undefined) {
      this.#meter = this.context.meters.of(this.service ?? '');
      this.#meter.begin();
    }
    const revision = served.choose(this.request, this.#tag);
    this.#served = served;
    this.#revision = revision;
    this.#whileAsleep = served.whileAsleep(this.request, this.head.path);
    return revision;
  }

  /** The service's own answer to an error, if it has one. */
  protected fixedAnswer(error: unknown): FixedAnswer | undefined {
    return codeOf(error) === 'ASLEEP' && this.#whileAsleep !== 'problem' ? this.#whileAsleep : undefined;
  }

  protected problem(error: unknown) {
    const problem = problemOf(error, { service: this.service, host: this.head.host });
    this.context.meters.problem(problem.type);
    return problem;
  }

  /** The request has ended: counts and logs it. */
  protected ended(status: number, error: unknown): void {
    this.#meter?.end(status);
    const { onAccess, clock } = this.context;
    onAccess?.({
      requestId: this.requestId,
      method: this.request.method ?? '',
      host: this.head.host || this.request.headers.host,
      path: this.request.url ?? '',
      service: this.service,
      revision: this.#revision?.id,
      status,
      durationMs: clock.now() - this.beganMs,
      waitedFor: this.waited?.kind,
      error,
    });
  }
}

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
      response.destroy(); // a broken answer, never a short one that looks whole
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
      response.destroy(); // a broken answer, never a short one that looks whole
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
   * Any request, if not one byte of it was written to the instance. An idempotent one without a body, once, if it
   * failed on a connection that had been used before, before any byte of an answer. Nothing else.
   */
  #mayRetry({ code, reached }: ForwardError): boolean {
    if (code !== 'UPSTREAM_DISCONNECTED' || this.response.headersSent || this.#retries >= MAX_RETRIES)
      return false;
    const unsent = reached === 'unsent' && this.body?.started !== true;
    const stale =
      reached === 'stale' &&
      this.#retries === 0 &&
      this.body === undefined &&
      IDEMPOTENT.has(this.request.method ?? '');
    return (unsent || stale) && this.context.retries.spend();
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

/** A client's upgrade, from its head to the end of the connection. */
export class HeldUpgrade extends Held {
  readonly #socket: Socket;
  #head: Buffer;

  constructor(context: FrontContext, request: IncomingMessage, socket: Socket, head: Buffer) {
    super(context, request);
    this.#socket = socket;
    this.#head = head;
  }

  /** Lets the upgrade go its way; resolves when the connection has ended, or was refused. */
  async run(): Promise<void> {
    const { forwarder } = this.context;
    const left = new AbortController();
    const leave = () => left.abort(new Error('the client left'));
    this.#socket.once('close', leave);
    const stopReading = this.#readWhileHeld();
    let status = 101;
    let failure: unknown;
    try {
      this.route();
      if (this.head.hasBody) throw new BadRequestError('an upgrade has no body');
      if (/(?:^|,)\s*h2c\s*(?:,|$)/i.test(this.request.headers.upgrade ?? '')) {
        throw new BadRequestError('an upgrade to h2c is not spoken here');
      }
      const lease = await this.lease(left.signal);
      stopReading();
      try {
        left.signal.throwIfAborted();
        const { request, path, headers, answerHeaders } = this;
        await forwarder.upgrade({
          request,
          socket: this.#socket,
          head: this.#head,
          target: lease,
          path,
          headers,
          answerHeaders,
        });
      } finally {
        lease.release();
      }
    } catch (error) {
      failure = error;
      stopReading();
      status = this.#refuse(error);
    } finally {
      this.#socket.off('close', leave);
      this.ended(status, failure);
    }
  }

  // Private

  #refuse(error: unknown): number {
    if (this.#socket.destroyed) return 499;
    const problem = this.problem(error);
    const response = responseOn(this.request, this.#socket);
    writeProblem(this.request, response, problem, {
      service: this.service,
      requestId: this.requestId,
      close: true,
    });
    return problem.status;
  }

  /** Nobody else reads the connection while it is held, and who does not read does not see that the client leaves. */
  #readWhileHeld(): () => void {
    const socket = this.#socket;
    const keep = (chunk: Buffer) => {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (this.#head.length > MAX_HELD_BYTES) socket.pause();
    };
    const end = () => socket.destroy();
    socket.on('data', keep).once('end', end);
    return () => {
      socket.off('data', keep).off('end', end);
      socket.pause();
    };
  }
}
