import type { Duplex } from 'node:stream';
import type { Outgoing } from './outgoing.ts';

/** A client's connection after it has left HTTP. */
export interface ClientStream extends Duplex {
  /** Calls the listener when no bytes have moved for that long, in milliseconds. Zero turns it off. */
  setTimeout(timeoutMs: number, listener?: () => void): unknown;
}

/** A client's offer to upgrade the connection of its request (RFC 9110 §7.8). */
export interface UpgradeOffer {
  /** The protocols it would switch to, separated by `, `. */
  readonly protocol: string;
  /** The connection. Closes when the client leaves. Must not be read before the offer is accepted. */
  readonly stream: ClientStream;
  /** For an answer instead of the switch, which is the last on the connection. */
  readonly outgoing: Outgoing;
  /** Sends `100 Continue`, which must precede the switch. */
  writeContinue(): void;
  /**
   * Answers `101 Switching Protocols`. From now on the stream is the caller's.
   *
   * @param headers names and values alternating
   * @returns what the client has sent after the request
   */
  accept(headers: readonly string[]): Buffer;
}
