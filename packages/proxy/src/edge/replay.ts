import type { IncomingMessage, Server } from 'node:http';
import type { Connection, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import { withoutOffer } from './offered-upgrade.ts';

/** A request whose offer to upgrade is ignored: when it is its turn it is read anew, without the offer. */
export class Replay implements Turn {
  readonly whole = true;
  readonly #connection: Connection;
  readonly #request: IncomingMessage;
  readonly #early: EarlyBytes;
  readonly #server: Server;

  constructor(connection: Connection, request: IncomingMessage, early: EarlyBytes, server: Server) {
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
