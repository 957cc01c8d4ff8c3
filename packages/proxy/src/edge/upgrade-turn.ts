import type { Socket } from 'node:net';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { UpgradeOffer } from '../exchange/upgrade-offer.ts';
import type { JourneyContext } from '../request/journey.ts';
import { upgrade } from '../request/upgrade.ts';
import type { Connection, Turn } from './connection.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { EdgeRequest } from './edge-request.ts';
import { EdgeResponse } from './edge-response.ts';

/** An upgrade offered by a client, on a connection that Node's HTTP server has given away for it. */
export class UpgradeTurn implements Turn, UpgradeOffer {
  /** What follows belongs to the upgraded protocol, or is discarded. */
  readonly whole = false;
  readonly protocol: string;
  readonly #context: JourneyContext;
  readonly #connection: Connection;
  readonly #request: EdgeRequest;
  readonly #early: EarlyBytes;
  #outgoing: EdgeResponse | undefined;
  #accepted = false;

  /** @param protocol the protocol it would switch to */
  constructor(
    context: JourneyContext,
    connection: Connection,
    request: EdgeRequest,
    protocol: string,
    early: EarlyBytes,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#request = request;
    this.protocol = protocol;
    this.#early = early;
  }

  begin(): void {
    this.#request.expectsContinue = /\b100-continue\b/i.test(this.#request.header('expect') ?? '');
    void upgrade(this.#context, this.#request, this).then(() => {
      if (!this.#accepted) this.#close();
      this.#connection.over();
    });
  }

  get stream(): Socket {
    return this.#connection.socket;
  }

  get outgoing(): Outgoing {
    this.#outgoing ??= EdgeResponse.lastOn(this.stream, this.#request);
    return this.#outgoing;
  }

  writeContinue(): void {
    this.stream.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  accept(headers: readonly string[]): Buffer {
    this.#accepted = true;
    let head = 'HTTP/1.1 101 Switching Protocols\r\n';
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    const early = this.#early.take();
    this.stream.write(`${head}\r\n`, 'latin1');
    return early;
  }

  // Private

  /** Closes the connection after a refusal. */
  #close(): void {
    this.#early.take();
    this.#connection.close();
  }
}
