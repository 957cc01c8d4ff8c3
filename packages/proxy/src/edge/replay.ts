import type { EventEmitter } from 'node:events';
import type { Connection, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { EdgeRequest } from './edge-request.ts';

/** A request whose offer to upgrade is ignored: when it is its turn it is read anew, without the offer. */
export class Replay implements Turn {
  readonly whole = true;
  readonly #connection: Connection;
  readonly #request: EdgeRequest;
  readonly #early: EarlyBytes;
  readonly #server: EventEmitter;

  constructor(connection: Connection, request: EdgeRequest, early: EarlyBytes, server: EventEmitter) {
    this.#connection = connection;
    this.#request = request;
    this.#early = early;
    this.#server = server;
  }

  begin(): void {
    const bytes = Buffer.concat([withoutOffer(this.#request), this.#early.take()]);
    this.#connection.replay(bytes, this.#server);
  }
}

/** The head of the request without its offer, as bytes: to be read again, as a request like any other. */
function withoutOffer({ method, target, httpVersion, rawHeaders }: EdgeRequest): Buffer {
  const lines = [`${method} ${target} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!/^(?:upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
