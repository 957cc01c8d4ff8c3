import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Activation, Lease } from '@cless/activator';
import { type FixedAnswer, hasCode, type Revision, shuttingDown } from '@cless/model';
import { problemOf } from '../answer/problem.ts';
import type { Connection, Turn } from '../edge/connection.ts';
import type { EdgeContext } from '../edge/http1.ts';
import { ServiceNotFoundError } from '../errors.ts';
import type { ForwardError } from '../forward/forwarder.ts';
import { outgoingHeaders } from '../headers/forwarded.ts';
import type { ServiceMeter } from '../observe/meters.ts';
import type { ServedService } from '../services/source.ts';
import { type RequestHead, readHead } from './head.ts';
import { checkHops } from './hops.ts';

/** Until the head is read. */
const UNREAD: RequestHead = {
  host: '',
  path: '/',
  hasBody: false,
  connection: undefined,
  via: undefined,
  requestId: undefined,
  hostField: undefined,
};
const VALID_REQUEST_ID = /^[\w.:+/=-]{1,128}$/;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** How often one request may be sent again. */
const MAX_RETRIES = 3;

/** What requests and upgrades have in common: whom they are for, and getting a lease. */
export abstract class Held implements Turn {
  protected readonly context: EdgeContext;
  protected readonly connection: Connection;
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
  #retries = 0;

  constructor(context: EdgeContext, connection: Connection, request: IncomingMessage) {
    this.context = context;
    this.connection = connection;
    this.request = request;
    this.beganMs = context.clock.now();
  }

  abstract begin(): void;
  abstract readonly whole: boolean;

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
    if (draining) throw shuttingDown();
    this.head = readHead(this.request, limits);
    checkHops(this.request.method, this.head.via);
    if (this.head.hostField !== undefined) router.route(this.head.hostField); // an absolute target does not excuse it
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

  /** Has it been sent before? */
  protected get isRetry(): boolean {
    return this.#retries > 0;
  }

  /**
   * May the request be sent again, and is it about to be? Any, if not one byte of it was written to the instance. An
   * idempotent one without a body, once, if the connection was closed before any byte of an answer: it had been used
   * before, or the engine's port relay had taken it for an app that is dead. Nothing else.
   *
   * @param body what became of its body: nothing was taken of it; it has none
   */
  protected retries({ code, reached }: ForwardError, body: 'untouched' | 'none' | 'taken'): boolean {
    if (code !== 'UPSTREAM_DISCONNECTED' || this.#retries >= MAX_RETRIES) return false;
    const unsent = reached === 'unsent' && body !== 'taken';
    const unanswered =
      (reached === 'stale' || reached === 'closed') &&
      this.#retries === 0 &&
      body === 'none' &&
      IDEMPOTENT.has(this.request.method ?? '');
    if (!(unsent || unanswered) || !this.context.retries.spend()) return false;
    this.#retries += 1;
    return true;
  }

  /** The service's own answer to an error, if it has one. */
  protected fixedAnswer(error: unknown): FixedAnswer | undefined {
    return hasCode(error, 'ASLEEP') && this.#whileAsleep !== 'problem' ? this.#whileAsleep : undefined;
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
