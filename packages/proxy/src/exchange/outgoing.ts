/**
 * The answer to a client's request, independent of the version of HTTP. Its states are named as those of Node's
 * streams.
 *
 * Writing after the client has left is ignored, not an error.
 */
export interface Outgoing {
  /** Undefined before the head is sent. */
  readonly status: number | undefined;
  /** Has the answer been written to its end? */
  readonly writableEnded: boolean;
  /** Has all of it been handed to the system? */
  readonly writableFinished: boolean;
  /** Can it no longer reach the client? */
  readonly destroyed: boolean;
  /** May an answer of unknown length have trailers? Not for HTTP/1.0, nor to HEAD. */
  readonly takesTrailers: boolean;
  /** The joined values of a header of the head that was sent; the name must be in lower case. */
  header(name: string): string | undefined;
  /** Asks the client for the body of its request. */
  writeContinue(): void;
  /**
   * Sends `103 Early Hints` (RFC 8297). Drops them if the client's version has none or it does not read: there may be
   * infinitely many.
   *
   * @param headers valid headers, names and values alternating
   */
  writeHints(headers: readonly string[]): void;
  /**
   * Sends the head, now or along with the first part of the body.
   *
   * @param reason undefined for the usual one
   * @param headers names and values alternating; the array belongs to the answer from now on
   * @throws if it is not valid in HTTP; then nothing has been sent
   */
  sendHead(status: number, reason: string | undefined, headers: string[]): void;
  /** Sends the head without waiting for the body, which may not come for hours. */
  flushHead(): void;
  /** @returns false if the client does not read as fast; then wait for `onDrain` */
  write(chunk: Buffer): boolean;
  /** Calls the listener once, when there is room again. */
  onDrain(listener: () => void): void;
  /**
   * Call before the end.
   *
   * @param fields names and values alternating
   * @throws if one of them is not valid in HTTP
   */
  sendTrailers(fields: readonly string[]): void;
  end(): void;
  /** Writes the whole body in one piece and ends. */
  endWith(body: Buffer): void;
  /** Ends it in the middle so that it cannot pass for complete (RFC 9112 §8). */
  breakOff(): void;
  /**
   * Closes the connection after this answer; the head says so if it has not been sent yet. No further request is read
   * from it. Has no effect in HTTP/2, where requests do not follow each other.
   */
  closeAfterwards(): void;
  /**
   * Calls the listener once, when the answer has been handed to the system completely or can no longer reach the
   * client.
   */
  onClosed(listener: () => void): void;
}
