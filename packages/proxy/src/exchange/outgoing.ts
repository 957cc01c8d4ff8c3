/**
 * The answer to a client's request, in whatever version of HTTP. Its states are named as those of Node's streams.
 *
 * Whatever is written when the client has left is for nobody, and no error.
 */
export interface Outgoing {
  /** Undefined before the head is sent. */
  readonly status: number | undefined;
  /** Nothing more can be written, for the answer is whole. */
  readonly writableEnded: boolean;
  /** All of it has been handed over to the system. */
  readonly writableFinished: boolean;
  /** It can reach nobody any more. */
  readonly destroyed: boolean;
  /** May an answer of unknown length have trailers? Not for HTTP/1.0, nor to HEAD. */
  readonly takesTrailers: boolean;
  /** The values of a header of the head that was sent, in one; its name in lower case. */
  header(name: string): string | undefined;
  /** Asks the client for the body of its request. */
  writeContinue(): void;
  /**
   * Sends `103 Early Hints` (RFC 8297). Dropped where the client does not know them, and where it does not read: nobody waits
   * for it, since there may be no end of them.
   *
   * @param headers name and value in turn, which are valid
   */
  writeHints(headers: readonly string[]): void;
  /**
   * Sends the head, now or along with the first part of the body.
   *
   * @param reason undefined for the usual one
   * @param headers name and value in turn; the answer’s from now on
   * @throws if it is none of HTTP; nothing is sent then
   */
  sendHead(status: number, reason: string | undefined, headers: string[]): void;
  /** Sends the head without waiting for the body, which may not come for hours. */
  flushHead(): void;
  /** @returns false if the client does not read as fast: tells when it is to go on by `onDrain` */
  write(chunk: Buffer): boolean;
  /** Calls the listener once, when there is room again. */
  onDrain(listener: () => void): void;
  /**
   * To be called before the end.
   *
   * @param fields name and value in turn
   * @throws if one of them is none of HTTP
   */
  sendTrailers(fields: readonly string[]): void;
  end(): void;
  /** The whole body in one piece, and the end. */
  endWith(body: Buffer): void;
  /** Ends it in the middle, in a way that what has come cannot pass for the whole (RFC 9112 §8). */
  breakOff(): void;
  /**
   * The connection closes after this answer, whose head says so if it is not sent yet. What the client has sent behind the
   * request is not read as one. Nothing where requests do not follow each other on a connection, as in HTTP/2.
   */
  closeAfterwards(): void;
  /** Calls the listener once, when the answer has been handed over to the system as a whole, or can reach nobody any more. */
  onClosed(listener: () => void): void;
}
