import type { Connection, Parse, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { EdgeRequest } from './edge-request.ts';
import { headBytes } from './request-bytes.ts';

const OFFER = /^(?:upgrade|http2-settings)$/i;

/** A request whose offer to upgrade is ignored: in its turn it is parsed again without the offer. */
export class Replay implements Turn {
  readonly whole = true;
  readonly #connection: Connection;
  readonly #request: EdgeRequest;
  readonly #early: EarlyBytes;
  readonly #parse: Parse;

  constructor(connection: Connection, request: EdgeRequest, early: EarlyBytes, parse: Parse) {
    this.#connection = connection;
    this.#request = request;
    this.#early = early;
    this.#parse = parse;
  }

  begin(): void {
    const bytes = Buffer.concat([headBytes(this.#request, OFFER), this.#early.take()]);
    this.#connection.replay(bytes, this.#parse);
  }
}
