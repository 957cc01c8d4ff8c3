/** The other end of a client's connection; one object per connection. */
export interface Peer {
  /** Its IP address; undefined if it has left. */
  readonly remoteAddress?: string | undefined;
}

/** Receives the body of a request. */
export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** Called if the client left before the end. */
  onBroken(): void;
}

/** The headers of a request. */
export interface Fields {
  /**
   * All values of a header, joined as in RFC 9110 §5.3; undefined if it is missing.
   *
   * @param name in lower case
   */
  header(name: string): string | undefined;
}

/** A client's request, independent of the parser and the version of HTTP. */
export interface Incoming extends Fields {
  readonly method: string;
  /** The target as written by the client (RFC 9112 §3.2): a path, a URL, or `*`. */
  readonly target: string;
  /** Major and minor version: `1.1`. */
  readonly httpVersion: string;
  readonly scheme: 'http' | 'https';
  readonly peer: Peer;
  /** The headers as received, names and values alternating. */
  readonly rawHeaders: readonly string[];
  /** Does the client wait for `100 Continue` before it sends the body? */
  readonly expectsContinue: boolean;
  /** Has it been read to the end of its body? */
  readonly complete: boolean;
  /** Starts reading the body. Call at most once. */
  readBody(reader: BodyReader): void;
  /** Discards the rest of the body, with or without a reader. */
  discardBody(): void;
  /** Stops reading the body until `resume`, which makes the client wait. */
  pause(): void;
  resume(): void;
  isPaused(): boolean;
}
