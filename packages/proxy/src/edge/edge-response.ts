import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { Journey } from '../request/journey.ts';
import type { Connection, Turn } from './connection.ts';
import type { EdgeRequest } from './edge-request.ts';

/** Bodies up to this size are copied, to be one write with their head: a vector of two is the dearest call of all there are. */
const SMALL_BODY_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);
const ignore = () => {};

/** An answer as Node's HTTP server makes it, which is also the turn of its connection: nothing is made for it besides. */
export class EdgeResponse extends ServerResponse<EdgeRequest> implements Outgoing, Turn {
  #connection: Connection | undefined;
  #journey: Journey | undefined;
  /** Why the request does not even begin. */
  #refused: Error | undefined;
  #head: readonly string[] | undefined;
  #onClosed: (() => void) | undefined;

  /**
   * An answer on a connection that Node's HTTP server has given away, which has none outstanding: the last one, since nobody
   * reads requests there any more.
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

  /** Makes it a turn of the connection: with the request's journey it begins, and when it has closed it is over. */
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
    const head = this.#head ?? [];
    const values = head.filter((_, i) => i % 2 === 1 && head[i - 1]?.toLowerCase() === name);
    return values.length === 0 ? undefined : values.join(', ');
  }

  /** Node's own `writeEarlyHints` throws at valid links. */
  writeHints(headers: readonly string[]): void {
    const { socket, req } = this;
    if (req.httpVersion === '1.0' || socket === null || !socket.writable || socket.writableNeedDrain) return;
    let head = 'HTTP/1.1 103 Early Hints\r\n';
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.write(`${head}\r\n`, 'latin1');
  }

  sendHead(status: number, reason: string | undefined, headers: string[]): void {
    if (reason === undefined) this.writeHead(status, headers);
    else this.writeHead(status, reason, headers);
    this.#head = headers;
  }

  /** Node keeps the head until there is something to send along; its own `flushHeaders` would write Latin-1 as UTF-8. */
  flushHead(): void {
    if (!this.writableEnded && !this.destroyed) this.write(NOTHING);
  }

  onDrain(listener: () => void): void {
    this.once('drain', listener);
  }

  sendTrailers(fields: readonly string[]): void {
    const pairs: [string, string][] = [];
    for (let i = 0; i + 1 < fields.length; i += 2) pairs.push([fields[i] ?? '', fields[i + 1] ?? '']);
    this.addTrailers(pairs);
  }

  endWith(body: Buffer): void {
    if (body.length <= SMALL_BODY_BYTES) this.end(body.toString('latin1'), 'latin1');
    else this.end(body);
  }

  /** For HTTP/1.0, where the end of the connection may be the end of the answer, by a reset. */
  breakOff(): void {
    const { req, socket } = this;
    if (req.httpVersion === '1.0' && socket !== null && !socket.destroyed) socket.resetAndDestroy();
    this.destroy();
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

  /** One that waits says so when it is its turn. */
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
