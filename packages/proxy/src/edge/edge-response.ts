import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { Journey } from '../request/journey.ts';
import type { Connection, Turn } from './connection.ts';
import type { EdgeRequest } from './edge-request.ts';
import { breakOff, endWith, flushHead, sendTrailers, valueIn, writeHints } from './node-response.ts';

const ignore = () => {};

/**
 * The response object of Node's HTTP server, which is also the turn of its connection, so that no further object is
 * needed.
 */
export class EdgeResponse extends ServerResponse<EdgeRequest> implements Outgoing, Turn {
  #connection: Connection | undefined;
  #journey: Journey | undefined;
  /** Why the request is refused before it begins; undefined if it is not. */
  #refused: Error | undefined;
  #head: readonly string[] | undefined;
  #onClosed: (() => void) | undefined;

  /**
   * The last answer on a connection that Node's HTTP server has given away and that has no other outstanding: no more
   * requests are read there.
   */
  static lastOn(socket: Socket, request: EdgeRequest): EdgeResponse {
    const response = new EdgeResponse(request);
    const drained = () => response.drained();
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    socket.on('drain', drained);
    response.once('finish', () => {
      socket.off('drain', drained);
      response.detachSocket(socket);
      response.emit('close');
      socket.destroySoon();
    });
    return response;
  }

  /**
   * Makes it a turn of the connection, which begins with the request's journey and is over when the answer has
   * closed.
   */
  turnOf(connection: Connection, journey: Journey, refused: Error | undefined): this {
    this.#connection = connection;
    this.#journey = journey;
    this.#refused = refused;
    return this;
  }

  // Outgoing

  get status(): number | undefined {
    return this.headersSent ? this.statusCode : undefined;
  }

  get takesTrailers(): boolean {
    return this.req.httpVersion !== '1.0' && this.req.method !== 'HEAD';
  }

  header(name: string): string | undefined {
    return this.#head && valueIn(this.#head, name);
  }

  writeHints(headers: readonly string[]): void {
    writeHints(this, headers);
  }

  sendHead(status: number, reason: string | undefined, headers: string[]): void {
    if (reason === undefined) this.writeHead(status, headers);
    else this.writeHead(status, reason, headers);
    this.#head = headers;
  }

  flushHead(): void {
    flushHead(this);
  }

  onDrain(listener: () => void): void {
    this.once('drain', listener);
  }

  sendTrailers(fields: readonly string[]): void {
    sendTrailers(this, fields);
  }

  endWith(body: Buffer): void {
    endWith(this, body);
  }

  breakOff(): void {
    breakOff(this);
  }

  closeAfterwards(): void {
    this.shouldKeepAlive = false;
    this.#connection?.end();
  }

  onClosed(listener: () => void): void {
    this.#onClosed = listener;
    this.on('close', this.#closed);
    this.on('error', ignore); // `close` follows
  }

  // Turn

  get whole(): boolean {
    return this.req.complete;
  }

  begin(): void {
    if (this.#refused === undefined) this.#journey?.begin();
    else this.#journey?.refuse(this.#refused);
  }

  /** A waiting request reports it in its turn. */
  unreadable(error: Error): void {
    if (this.#connection?.current === this) this.#journey?.unreadable(error);
    else this.#refused = error;
  }

  silent(ms: number): void {
    this.#journey?.silent(ms);
  }

  drained(): void {
    this.emit('drain');
  }

  // Private

  #closed(): void {
    this.#onClosed?.();
    this.#connection?.over();
  }
}
