import type { BodyReader, Incoming, Peer } from './incoming.ts';
import type { Outgoing } from './outgoing.ts';

/** For tests: a request without a connection. */
export class FakeIncoming implements Incoming {
  method = 'GET';
  target = '/';
  httpVersion = '1.1';
  scheme: Incoming['scheme'] = 'http';
  peer: Peer = { remoteAddress: '192.0.2.7' };
  rawHeaders: readonly string[] = ['Host', 'app.test'];
  expectsContinue = false;
  complete = true;
  paused = false;
  discarded = false;
  reader: BodyReader | undefined;

  constructor(differences: Partial<FakeIncoming> = {}) {
    Object.assign(this, differences);
  }

  header(name: string): string | undefined {
    const values = this.rawHeaders.filter(
      (_, i) => i % 2 === 1 && this.rawHeaders[i - 1]?.toLowerCase() === name,
    );
    return values.length === 0 ? undefined : values.join(', ');
  }

  readBody(reader: BodyReader): void {
    this.reader = reader;
  }

  discardBody(): void {
    this.discarded = true;
    this.reader = undefined;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  isPaused(): boolean {
    return this.paused;
  }
}

/** For tests: an answer that is recorded. */
export class FakeOutgoing implements Outgoing {
  status: number | undefined;
  reason: string | undefined;
  headers: string[] = [];
  hints: (readonly string[])[] = [];
  trailers: string[] = [];
  body = '';
  writableEnded = false;
  destroyed = false;
  takesTrailers = true;
  closes = false;
  continued = 0;
  #closed: (() => void) | undefined;

  get writableFinished(): boolean {
    return this.writableEnded;
  }

  header(name: string): string | undefined {
    const at = this.headers.findIndex((one, i) => i % 2 === 0 && one.toLowerCase() === name);
    return at === -1 ? undefined : this.headers[at + 1];
  }

  writeContinue(): void {
    this.continued += 1;
  }

  writeHints(headers: readonly string[]): void {
    this.hints.push(headers);
  }

  sendHead(status: number, reason: string | undefined, headers: string[]): void {
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }

  flushHead(): void {}

  write(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1');
    return true;
  }

  onDrain(): void {}

  sendTrailers(fields: readonly string[]): void {
    this.trailers.push(...fields);
  }

  end(): void {
    this.writableEnded = true;
  }

  endWith(body: Buffer): void {
    this.body += body.toString();
    this.end();
  }

  breakOff(): void {
    this.close();
  }

  closeAfterwards(): void {
    this.closes = true;
  }

  onClosed(listener: () => void): void {
    this.#closed = listener;
  }

  /** The client leaves, or has received everything. */
  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#closed?.();
  }
}
