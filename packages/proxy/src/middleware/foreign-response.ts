import type { ServerResponse } from 'node:http';
import { breakOff, endWith, flushHead, sendTrailers, valueIn, writeHints } from '../edge/node-response.ts';
import type { Outgoing } from '../exchange/outgoing.ts';

const ignore = () => {};

/** The answer to a request parsed by another HTTP server. Headers set on it before are sent too. */
export class ForeignResponse implements Outgoing {
  readonly #response: ServerResponse;
  #head: readonly string[] = [];

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get status(): number | undefined {
    return this.#response.headersSent ? this.#response.statusCode : undefined;
  }

  get writableEnded(): boolean {
    return this.#response.writableEnded;
  }

  get writableFinished(): boolean {
    return this.#response.writableFinished;
  }

  get destroyed(): boolean {
    return this.#response.destroyed;
  }

  get takesTrailers(): boolean {
    const { httpVersion, method } = this.#response.req;
    return httpVersion !== '1.0' && method !== 'HEAD';
  }

  header(name: string): string | undefined {
    return valueIn(this.#head, name);
  }

  writeContinue(): void {
    this.#response.writeContinue();
  }

  writeHints(headers: readonly string[]): void {
    writeHints(this.#response, headers);
  }

  sendHead(status: number, reason: string | undefined, headers: string[]): void {
    if (reason === undefined) this.#response.writeHead(status, headers);
    else this.#response.writeHead(status, reason, headers);
    this.#head = headers;
  }

  flushHead(): void {
    flushHead(this.#response);
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  sendTrailers(fields: readonly string[]): void {
    sendTrailers(this.#response, fields);
  }

  end(): void {
    this.#response.end();
  }

  endWith(body: Buffer): void {
    endWith(this.#response, body);
  }

  breakOff(): void {
    breakOff(this.#response);
  }

  closeAfterwards(): void {
    this.#response.shouldKeepAlive = false;
  }

  onClosed(listener: () => void): void {
    this.#response.once('close', listener);
    this.#response.on('error', ignore); // `close` follows
  }
}
