import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Failure, slugOf } from '@cless/model';
import { PROBLEM_TYPE, problemJson, problemOf } from '../answer/problem.ts';
import type { Meters } from '../observe/meters.ts';
import { Journey, type JourneyContext } from '../request/journey.ts';
import type { Connection, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { EdgeRequest } from './edge-request.ts';
import { EdgeResponse } from './edge-response.ts';

/** The last answer of a connection, to what could not be parsed. */
export class Refusal implements Turn {
  readonly whole = false;
  readonly #connection: Connection;
  readonly #error: Error;
  readonly #bodiless: boolean;
  readonly #meters: Pick<Meters, 'problem'>;

  /** @param bodiless was it a `HEAD`, as far as can be told? */
  constructor(connection: Connection, error: Error, bodiless: boolean, meters: Pick<Meters, 'problem'>) {
    this.#connection = connection;
    this.#error = error;
    this.#bodiless = bodiless;
    this.#meters = meters;
  }

  begin(): void {
    const problem = problemOf(this.#error, { service: undefined, host: undefined });
    const requestId = randomUUID();
    const body = problemJson(problem, undefined, requestId);
    this.#meters.problem(slugOf(problem.code));
    this.#connection.socket.write(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
        `Content-Type: ${PROBLEM_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${requestId}`,
        `Date: ${new Date().toUTCString()}`,
        'Connection: close',
        '',
        this.#bodiless ? '' : body,
      ].join('\r\n'),
    );
    this.#connection.over();
  }
}

/** The last answer of a connection, to a `CONNECT`. */
export class ConnectRefusal implements Turn {
  readonly whole = false;
  readonly #context: JourneyContext;
  readonly #connection: Connection;
  readonly #request: EdgeRequest;
  readonly #early: EarlyBytes;

  constructor(context: JourneyContext, connection: Connection, request: EdgeRequest, early: EarlyBytes) {
    this.#context = context;
    this.#connection = connection;
    this.#request = request;
    this.#early = early;
  }

  begin(): void {
    this.#early.take();
    const response = EdgeResponse.lastOn(this.#connection.socket, this.#request);
    const journey = new Journey(this.#context, this.#request, response);
    journey.refuse(new Failure('BAD_REQUEST', 'CONNECT is not spoken here'));
    this.#connection.close();
  }
}
