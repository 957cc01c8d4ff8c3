import { randomUUID } from 'node:crypto';
import type { Activation } from '@cless/activator';
import { type Clock, slugOf } from '@cless/model';
import { type Problem, problemOf } from '../answer/problem.ts';
import type { Incoming } from '../exchange/incoming.ts';
import type { Access } from '../observe/access.ts';
import type { ServiceMeter } from '../observe/meters.ts';
import type { Choice } from '../services/source.ts';
import type { Begun } from './begun.ts';
import type { RequestHead } from './head.ts';

/** Told about the outcome of requests. */
export interface RecordContext {
  readonly clock: Pick<Clock, 'now'>;
  readonly meters: { of(service: string): ServiceMeter; problem(type: string): void };
  /** Called once for each request, when its answer has ended. Undefined means no access log. */
  readonly onAccess: ((access: Access) => void) | undefined;
}

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/** Is it a request id that we take from a client? */
export function isRequestId(id: string): boolean {
  return REQUEST_ID.test(id);
}

/** What is recorded about a request, for its problems, the counters and the access log. */
export class RequestRecord {
  readonly #context: RecordContext;
  readonly #incoming: Incoming;
  readonly #beganMs: number;
  #head: RequestHead | undefined;
  #requestId: string | undefined;
  #choice: Choice | undefined;
  #meter: ServiceMeter | undefined;
  service: string | undefined;
  /** The wait for an instance; undefined if one was ready. */
  waited: Activation | undefined;

  /** @param begun if it has been sent already; it is counted from there on */
  constructor(context: RecordContext, incoming: Incoming, begun?: Begun) {
    this.#context = context;
    this.#incoming = incoming;
    this.#beganMs = begun?.beganMs ?? context.clock.now();
    this.#requestId = begun?.requestId;
    this.#choice = begun?.choice;
    this.#meter = begun?.meter;
    this.service = begun?.service;
  }

  /** The client's id if it sent a valid one, else a new one. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.#head?.requestId;
      this.#requestId = given !== undefined && isRequestId(given) ? given : randomUUID();
    }
    return this.#requestId;
  }

  read(head: RequestHead): void {
    this.#head = head;
  }

  /** Counts the request for the service from now on. */
  chose(service: string, choice: Choice): void {
    this.#choice = choice;
    if (this.#meter !== undefined) return;
    this.#meter = this.#context.meters.of(service);
    this.#meter.begin();
  }

  /** Headers the proxy adds to an instance's answer, names and values alternating. */
  answerHeaders(): string[] {
    const headers = ['X-Request-Id', this.requestId];
    const cookie = this.#choice?.cookie;
    if (this.waited !== undefined) {
      const { kind, durationMs } = this.waited;
      headers.push('Server-Timing', `cless-${kind};dur=${durationMs.toFixed(1)}`);
    }
    if (cookie !== undefined) headers.push('Set-Cookie', cookie);
    return headers;
  }

  /** The problem for the error, which is counted. */
  problem(error: unknown): Problem {
    const problem = problemOf(error, { service: this.service, host: this.#head?.host });
    this.#context.meters.problem(slugOf(problem.code));
    return problem;
  }

  /** Called when the answer has ended. */
  end(status: number, error: unknown): void {
    this.#meter?.end(status);
    const { onAccess, clock } = this.#context;
    onAccess?.({
      requestId: this.requestId,
      method: this.#incoming.method,
      host: this.#head?.host ?? this.#incoming.header('host'),
      path: this.#incoming.target,
      service: this.service,
      revision: this.#choice?.revision.id,
      status,
      durationMs: clock.now() - this.#beganMs,
      waitedFor: this.waited?.kind,
      error,
    });
  }
}
