import type { Lease, LeaseGiver } from '@cless/activator';
import { type Code, Failure, hasCode } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Outgoing } from '../exchange/outgoing.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import type { ForwardError, Forwarder, Forwarding } from '../forward/forwarder.ts';
import type { InstanceSocket } from '../forward/instance-socket.ts';
import { instanceHeaders } from '../headers/forwarded.ts';
import { isKeptAlive } from '../headers/hop-by-hop.ts';
import { endsHere } from '../headers/hops.ts';
import type { TrustedProxies } from '../headers/trusted-proxies.ts';
import type { Choice, ServiceSource } from '../services/source.ts';
import type { Begun, HeadStart } from './begun.ts';
import { RequestBody } from './body.ts';
import { choose, find, lease, tryLease } from './choose.ts';
import { readHead } from './head.ts';
import { type RecordContext, RequestRecord } from './record.ts';
import { refuse } from './refuse.ts';
import { mayBeSentAgain, type RetryBudget, type Tried } from './retry.ts';
import { type Route, type RouteContext, route } from './route.ts';

/** What a request needs from the proxy. */
export interface JourneyContext extends RouteContext, RecordContext {
  readonly limits: RouteContext['limits'] & {
    /** How long a client may be silent in the middle of a body, in milliseconds. */
    readonly bodyTimeoutMs: number;
    /** How long no bytes may move in the middle of an exchange that is not an event stream, in milliseconds. */
    readonly idleTimeoutMs: number;
  };
  readonly source: ServiceSource;
  readonly activator: LeaseGiver;
  readonly forwarder: Forwarder;
  readonly trustedProxies: TrustedProxies;
  readonly retries: RetryBudget;
}

/** How far a request has come. */
type State =
  | { readonly at: 'edge' }
  /** It waits for an instance. */
  | { readonly at: 'activator'; readonly left: AbortController }
  /** The request or its answer is being forwarded. */
  | InstanceState
  /** Settled; the rest of the answer may still be on its way to the client. */
  | { readonly at: 'end' };

interface InstanceState {
  readonly at: 'instance';
  readonly lease: Lease;
  readonly body: RequestBody | undefined;
  /** Undefined until forwarding has begun. */
  forwarding: Forwarding | undefined;
}

const EDGE: State = { at: 'edge' };
const END: State = { at: 'end' };

/** Failures because of which a body was not passed on to its end. */
const REFUSED_FOR_ITS_BODY: readonly Code[] = [
  'BAD_REQUEST',
  'BODY_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'UPSTREAM_TIMEOUT',
];
const EVENT_STREAM = /(?:^|, )text\/event-stream/i;

/**
 * The way of a request, from its head to the end of its answer: read, choose, lease, forward, settle. If an instance
 * is ready, no promise is made on the way to the forwarder.
 */
export class Journey {
  readonly #context: JourneyContext;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #record: RequestRecord;
  readonly #headStart: HeadStart;
  #state = EDGE;
  #retries = 0;
  /** Why the answer is not the instance's or incomplete; undefined if it is not. */
  #error: unknown;

  constructor(context: JourneyContext, incoming: Incoming, outgoing: Outgoing, headStart: HeadStart = {}) {
    this.#context = context;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#headStart = headStart;
    this.#record = new RequestRecord(context, incoming, headStart.begun);
    outgoing.onClosed(() => this.#closed());
  }

  begin(): void {
    const incoming = this.#incoming;
    const record = this.#record;
    const context = this.#context;
    const { begun, choice: chosen } = this.#headStart;
    if (begun !== undefined) {
      process.nextTick(() => this.#goOn(begun)); // when the request has been read to its end, if it has no body
      return;
    }
    context.retries.earn();
    try {
      const asked = route(incoming, record, context);
      const { path, connection } = asked.head;
      if (incoming.httpVersion === '1.0' && !isKeptAlive(connection)) this.#outgoing.closeAfterwards();
      if (path === '*' || endsHere(incoming)) {
        this.#answerOptions();
        return;
      }
      const served = context.source.known(asked.service);
      if (chosen !== undefined) record.chose(asked.service, chosen);
      const choice = chosen ?? (served && choose(served, incoming, asked, record));
      const leased = choice && tryLease(choice, context.activator);
      if (leased === undefined) void this.#wait(asked, choice);
      else this.#forward(asked, leased);
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Answers with the problem for the error. */
  refuse(error: unknown, choice?: Choice): void {
    const outgoing = this.#outgoing;
    const incoming = this.#incoming;
    this.#error ??= error;
    if (this.#state.at === 'activator') this.#state.left.abort(error);
    if (outgoing.destroyed) return;
    if (outgoing.status !== undefined) {
      outgoing.breakOff(); // never a short answer that looks complete
      return;
    }
    const { draining } = this.#context;
    refuse(incoming, outgoing, error, { record: this.#record, choice, draining });
  }

  /** Called when the rest of its body is not valid HTTP. */
  unreadable(error: Error): void {
    if (this.#outgoing.writableEnded) return;
    const state = this.#state;
    if (state.at === 'instance' && state.body?.started) state.body.destroy(error);
    else this.refuse(error);
  }

  /** Called when no bytes have moved in either direction for `ms` milliseconds. */
  silent(ms: number): void {
    const outgoing = this.#outgoing;
    const { bodyTimeoutMs, idleTimeoutMs } = this.#context.limits;
    if (outgoing.status !== undefined) {
      if (ms < idleTimeoutMs || EVENT_STREAM.test(outgoing.header('content-type') ?? '')) return;
      this.#error ??= new Error(`nothing moved for ${ms} ms`);
      outgoing.breakOff(); // never a short answer that looks complete
      return;
    }
    const state = this.#state;
    switch (state.at) {
      case 'instance':
        if (!state.body?.started || this.#incoming.complete) return; // the timeout of the answer applies
        // A paused request means that the instance does not read; otherwise the client is silent.
        if (this.#incoming.isPaused()) {
          if (ms >= idleTimeoutMs) state.body.destroy(silence('UPSTREAM_TIMEOUT', ms));
        } else if (ms >= bodyTimeoutMs) {
          state.body.destroy(silence('REQUEST_TIMEOUT', ms));
        }
        return;
      case 'edge':
      case 'activator':
      case 'end':
        return; // other limits apply
    }
  }

  // Private

  /** Goes on with a request that has been sent: with its answer, or with its failure. */
  #goOn(begun: Begun): void {
    const { service, tag, lease, outcome, bodyTaken } = begun;
    try {
      if (this.#outgoing.destroyed) throw new Error('the client left');
      // What has begun is finished, also while the edge drains, or if the host has been given away meanwhile.
      const head = readHead(this.#incoming, this.#context.limits);
      this.#record.read(head);
      const asked: Route = { head, service, tag };
      if (!(outcome instanceof Error)) {
        this.#forward(asked, lease, outcome);
        return;
      }
      lease.release();
      const body = bodyTaken ? 'taken' : asked.head.hasBody ? 'untouched' : 'none';
      if (outcome instanceof UpstreamError) this.#failed(asked, lease, body, outcome);
      else this.refuse(outcome);
    } catch (error) {
      lease.release();
      if (!(outcome instanceof Error)) outcome.destroy();
      this.refuse(error);
    }
  }

  /**
   * Waits for a lease until the client leaves.
   *
   * @param chosen what the request has been chosen for; undefined if that is still to be found. It is not chosen twice,
   * since then a revision that sleeps would get less than its share of a split
   */
  async #wait(asked: Route, chosen: Choice | undefined, examined?: Promise<void>): Promise<void> {
    const { source, activator } = this.#context;
    const left = new AbortController();
    this.#state = { at: 'activator', left };
    let choice = chosen;
    try {
      await examined;
      left.signal.throwIfAborted();
      choice ??= choose(await find(asked, source), this.#incoming, asked, this.#record);
      left.signal.throwIfAborted();
      const leased = await lease(choice, activator, this.#record, left.signal);
      if (left.signal.aborted) leased.release();
      else this.#forward(asked, leased);
    } catch (error) {
      if (!left.signal.aborted) this.refuse(error, choice);
    }
  }

  /** @param sentOn the connection on which it has been sent; undefined if it has not */
  #forward(asked: Route, leased: Lease, sentOn?: InstanceSocket): void {
    const { limits, trustedProxies, forwarder } = this.#context;
    const incoming = this.#incoming;
    const outgoing = this.#outgoing;
    const record = this.#record;
    const { head } = asked;
    try {
      // A new body for each attempt: the old one may be destroyed, but nothing was read through it.
      const body = head.hasBody ? new RequestBody(incoming, limits.maxBodyBytes) : undefined;
      const state: InstanceState = { at: 'instance', lease: leased, body, forwarding: undefined };
      this.#state = state;
      if (incoming.expectsContinue && this.#retries === 0) outgoing.writeContinue();
      state.forwarding = forwarder.forward(
        {
          target: leased,
          method: incoming.method,
          path: head.path,
          headers: instanceHeaders(incoming, head, record.requestId, trustedProxies.trusts(incoming.peer)),
          body,
          answerHeaders: record.answerHeaders(),
          outgoing,
          sentOn,
        },
        (error) => this.#settle(asked, state, error),
      );
    } catch (error) {
      this.#state = END;
      leased.release();
      this.refuse(error);
    }
  }

  /** Called when the forwarder is done. */
  #settle(asked: Route, { lease, body }: InstanceState, error: ForwardError | undefined): void {
    this.#state = END;
    lease.release();
    if (error === undefined) return;
    const cause = body?.errored;
    if (hasCode(cause, ...REFUSED_FOR_ITS_BODY)) this.refuse(cause);
    else
      this.#failed(asked, lease, body === undefined ? 'none' : body.started ? 'taken' : 'untouched', error);
  }

  /** Called when there was no whole answer: asks for another if that is safe. */
  #failed(asked: Route, lease: Lease, body: Tried['body'], error: ForwardError): void {
    const tried = { method: this.#incoming.method, body, retries: this.#retries };
    const mayBeRetried = this.#outgoing.status === undefined && mayBeSentAgain(error, tried);
    if (mayBeRetried && this.#context.retries.spend()) {
      this.#retries += 1;
      void this.#wait(asked, undefined, lease.examine());
      return;
    }
    if (error.code === 'UPSTREAM_DISCONNECTED') void lease.examine();
    this.refuse(error);
  }

  /**
   * RFC 9110 §9.3.7, §7.6.2: `OPTIONS *` is for the server, not a service, and so is an OPTIONS that may go no
   * further.
   */
  #answerOptions(): void {
    this.#outgoing.sendHead(204, undefined, ['X-Request-Id', this.#record.requestId]);
    this.#outgoing.end();
  }

  /** Called when the answer has reached the client, or the client has left. */
  #closed(): void {
    const state = this.#state;
    this.#state = END;
    switch (state.at) {
      case 'activator':
        state.left.abort(new Error('the client left'));
        break;
      case 'instance':
        state.forwarding?.abort();
        break;
      case 'edge':
      case 'end':
        break;
    }
    const { status = 499, writableFinished } = this.#outgoing;
    this.#record.end(status, this.#error ?? (writableFinished ? undefined : new Error('broken off')));
  }
}

/** The failure for a body that stopped: the client sends nothing, or the instance reads nothing. */
export function silence(code: 'REQUEST_TIMEOUT' | 'UPSTREAM_TIMEOUT', ms: number): Failure {
  return new Failure(code, `no byte of the body came for ${ms / 1000} s`);
}
