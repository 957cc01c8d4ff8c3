import { randomUUID } from 'node:crypto';
import type { Activation } from '@cless/activator';
import { type Clock, slugOf } from '@cless/model';
import { type Problem, problemOf } from '../answer/problem.ts';
import type { Incoming } from '../exchange/incoming.ts';
import type { Access } from '../observe/access.ts';
import type { ServiceMeter } from '../observe/meters.ts';
import type { Choice } from '../services/source.ts';
import type { RequestHead } from './head.ts';

/** Who wants to know what becomes of requests. */
export interface RecordContext {
  readonly clock: Pick<Clock, 'now'>;
  readonly meters: { of(service: string): ServiceMeter; problem(type: string): void };
  /** Called once for each request, when its answer has ended. Undefined means no access log. */
  readonly onAccess: ((access: Access) => void) | undefined;
}

const VALID_REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/** What becomes known of a request on its way, for its problems, the counters and the access log. */
export class RequestRecord {
  readonly #context: RecordContext;
  readonly #incoming: Incoming;
  readonly #beganMs: number;
  #head: RequestHead | undefined;
  #requestId: string | undefined;
  #choice: Choice | undefined;
  #meter: ServiceMeter | undefined;
  service: string | undefined;
  /** For an instance; undefined if one was ready. */
  waited: Activation | undefined;

  constructor(context: RecordContext, incoming: Incoming) {
    this.#context = context;
    this.#incoming = incoming;
    this.#beganMs = context.clock.now();
  }

  /** The client's, if it gave one that can be passed on; else ours. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.#head?.requestId;
      this.#requestId = given !== undefined && VALID_REQUEST_ID.test(given) ? given : randomUUID();
    }
    return this.#requestId;
  }

  read(head: RequestHead): void {
    this.#head = head;
  }

  /** The request is one of the service's, and counts from now on. */
  chose(service: string, choice: Choice): void {
    this.#choice = choice;
    if (this.#meter !== undefined) return;
    this.#meter = this.#context.meters.of(service);
    this.#meter.begin();
  }

  /** What the proxy adds to the headers of an instance's answer, name and value in turn. */
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

  /** The answer that the error stands for, which is counted. */
  problem(error: unknown): Problem {
    const problem = problemOf(error, { service: this.service, host: this.#head?.host });
    this.#context.meters.problem(slugOf(problem.code));
    return problem;
  }

  /** The answer has ended. */
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
