/** The other end of a client's connection: one object for each connection. */
export interface Peer {
  /** Its IP address. Undefined if it has left. */
  readonly remoteAddress?: string | undefined;
}

/** Who reads the body of a request. */
export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The client left before the end. */
  onBroken(): void;
}

/** The headers of a request. */
export interface Fields {
  /**
   * All values of a header in one, as RFC 9110 §5.3 joins them.
   *
   * @param name in lower case
   */
  header(name: string): string | undefined;
}

/** A client's request, whoever has parsed it and in whatever version of HTTP. */
export interface Incoming extends Fields {
  readonly method: string;
  /** What is asked for, as the client wrote it (RFC 9112 §3.2): a path, a URL, or `*`. */
  readonly target: string;
  /** Major and minor version: `1.1`. */
  readonly httpVersion: string;
  readonly scheme: 'http' | 'https';
  readonly peer: Peer;
  /** As they came, name and value in turn. */
  readonly rawHeaders: readonly string[];
  /** Does the client wait for `100 Continue` before it sends the body? */
  readonly expectsContinue: boolean;
  /** Has all of it been read, to the end of its body? */
  readonly complete: boolean;
  /** Lets the body come. Called at most once. */
  readBody(reader: BodyReader): void;
  /** What still comes of the body is for nobody; without a reader, too. */
  discardBody(): void;
  /** Lets the client wait: nothing more of the body is read until `resume`. */
  pause(): void;
  resume(): void;
  isPaused(): boolean;
}
