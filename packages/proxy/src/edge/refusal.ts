import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { problemOf, rawProblem } from '../answer/problem.ts';
import type { Meters } from '../observe/meters.ts';
import { BadRequestError } from '../request/head.ts';
import { HeldRequest } from '../request/held-request.ts';
import type { Connection, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { EdgeContext } from './http1.ts';
import { lastResponseOn } from './response.ts';

/** The last answer of a connection: to what could not even be read. */
export class Refusal implements Turn {
  readonly whole = false;
  readonly #connection: Connection;
  readonly #error: Error;
  readonly #bodiless: boolean;
  readonly #meters: Meters;

  /** @param bodiless was it a `HEAD`? */
  constructor(connection: Connection, error: Error, bodiless: boolean, meters: Meters) {
    this.#connection = connection;
    this.#error = error;
    this.#bodiless = bodiless;
    this.#meters = meters;
  }

  begin(): void {
    const problem = problemOf(this.#error, { service: undefined, host: undefined });
    this.#meters.problem(problem.type);
    this.#connection.socket.write(rawProblem(problem, randomUUID(), this.#bodiless));
    this.#connection.over();
  }
}

/** The last answer of a connection: to a `CONNECT`. */
export class ConnectRefusal implements Turn {
  readonly whole = false;
  readonly #context: EdgeContext;
  readonly #connection: Connection;
  readonly #request: IncomingMessage;
  readonly #early: EarlyBytes;

  constructor(context: EdgeContext, connection: Connection, request: IncomingMessage, early: EarlyBytes) {
    this.#context = context;
    this.#connection = connection;
    this.#request = request;
    this.#early = early;
  }

  begin(): void {
    this.#early.take();
    const response = lastResponseOn(this.#connection.socket, this.#request);
    const held = new HeldRequest(this.#context, this.#connection, this.#request, response);
    held.refuse(new BadRequestError('CONNECT is not spoken here'));
    this.#connection.close();
  }
}
