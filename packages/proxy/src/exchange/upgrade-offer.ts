import type { Duplex } from 'node:stream';
import type { Outgoing } from './outgoing.ts';

/** A client's connection, when it is no longer one of HTTP. */
export interface ClientStream extends Duplex {
  /** Calls the listener when nothing has moved for so long, in milliseconds. Zero ends that. */
  setTimeout(timeoutMs: number, listener?: () => void): unknown;
}

/** What a client offers with a request whose connection it would upgrade (RFC 9110 §7.8). */
export interface UpgradeOffer {
  /** What it would switch to; several are separated by `, `. */
  readonly protocol: string;
  /** Closes when the client leaves. Read by somebody else until the offer is accepted. */
  readonly stream: ClientStream;
  /** For an answer in place of the switch: the last of the connection. */
  readonly outgoing: Outgoing;
  /** `100 Continue`, which comes before the switch. */
  writeContinue(): void;
  /**
   * Answers `101 Switching Protocols`. From now on the stream is the caller's.
   *
   * @param headers name and value in turn
   * @returns what the client has sent behind the request
   */
  accept(headers: readonly string[]): Buffer;
}
