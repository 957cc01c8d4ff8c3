import type { Socket } from 'node:net';
import type { Clock, Timer } from '@cless/model';
import { Siding } from '../lane/siding.ts';

/**
 * Something that has a client's connection to itself from its beginning to its end: an exchange, an upgrade, a
 * refusal. Optional methods are left out if they do not apply.
 */
export interface Turn {
  /** Has everything that the client sends for it been read? */
  readonly whole: boolean;
  /** Called when its turn has come. It ends with a call of {@link Connection.over}, or with the connection. */
  begin(): void;
  /** Called if what follows its head cannot be parsed. */
  unreadable?(error: Error): void;
  /** Called when no bytes have moved on the connection for `ms` milliseconds. */
  silent?(ms: number): void;
  /** Called when there is room to write again, on a connection that Node's HTTP server has given away. */
  drained?(): void;
}

/** Has Node's HTTP server read a connection, these bytes first. */
export type Parse = (socket: Socket, bytes: Buffer) => void;

/** How much may wait behind the current turn, in bytes. Beyond that, reading stops. */
const MAX_WAITING_BYTES = 64 * 1024;
/**
 * How long a client may take to read the last answer and end its side, in milliseconds (RFC 9112 §9.6). Closing with
 * unread bytes would send a reset, which can overtake the answer.
 */
const LINGER_MS = 1_000;

interface ConnectionContext {
  readonly clock: Clock;
  /** Is the edge draining? */
  readonly draining: boolean;
}

/**
 * A client's connection, from accept to close. At most one turn runs at a time; what the client sends meanwhile waits
 * and is served in order (RFC 9112 §9.3.2).
 */
export class Connection {
  readonly socket: Socket;
  readonly #context: ConnectionContext;
  readonly #waiting: Turn[] = [];
  #current: Turn | undefined;
  /** The latest turn; undefined once it has been read completely and is over. */
  #latest: Turn | undefined;
  /** Will no more requests be read? */
  #ended = false;
  /** Has anything been received that is not read as a request? */
  #ignored = false;
  #closing = false;
  #givenAway = false;
  #paused = false;
  /** How many bytes had been read when the first turn began to wait. */
  #waitingFrom = 0;
  /** How many bytes had been read when the last turn ended. */
  #restingAt = 0;
  #linger: Timer | undefined;

  constructor(socket: Socket, context: ConnectionContext) {
    this.socket = socket;
    this.#context = context;
    // Node calls this after writing an answer with `Connection: close`.
    socket.destroySoon = () => this.close();
    socket.once('close', () => {
      this.#linger?.cancel();
      this.#waiting.length = 0;
    });
  }

  /** The current turn; undefined if there is none. */
  get current(): Turn | undefined {
    return this.#current;
  }

  /** Will no more requests be read? */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Begins a turn, now or when those before it are over. Ignores turns after the last one.
   *
   * @param last does nothing follow it?
   */
  take(turn: Turn, { last = false }: { last?: boolean } = {}): void {
    this.#ended = last;
    this.#latest = turn;
    if (this.#current === undefined) {
      this.#begin(turn);
      return;
    }
    const { bytesRead } = this.socket;
    if (this.#waiting.length === 0) this.#waitingFrom = bytesRead;
    else if (bytesRead - this.#waitingFrom > MAX_WAITING_BYTES) this.#pause();
    this.#waiting.push(turn);
  }

  /**
   * Called when received bytes cannot be parsed. If they belong to the latest turn, it is told; otherwise a refusal
   * follows it.
   *
   * @param refusal creates the refusal
   */
  unreadable(error: Error, refusal: () => Turn): void {
    const latest = this.#latest;
    if (latest?.whole === false) {
      this.#ended = true;
      latest.unreadable?.(error);
      if (this.#current === undefined) this.close();
    } else if (this.#ended) {
      this.#ignored = true; // garbage after `Connection: close` is harmless
    } else {
      this.take(refusal(), { last: true });
    }
  }

  /**
   * Called when Node's HTTP server has given the connection away, possibly repeatedly. Node then no longer forwards
   * `drain` to answers being written, nor listens for errors.
   */
  givenAway(): void {
    if (this.#givenAway) return;
    this.#givenAway = true;
    this.socket.on('drain', () => this.#current?.drained?.());
    this.socket.on('error', () => {}); // `close` follows
  }

  /** Discards everything that is received from now on. */
  ignore(): void {
    this.#ignored = true;
    // Detached from Node's parser, which a few megabytes of small requests would keep busy for seconds.
    this.socket.on('data', () => {}).removeAllListeners('data');
    this.socket.resume();
  }

  /** Reads no more requests, and drops those that wait. */
  end(): void {
    this.#ended = true;
    this.#ignored ||= this.#waiting.length > 0;
    this.#waiting.length = 0;
  }

  /** Called when the current turn has ended. */
  over(): void {
    this.#current = undefined;
    if (this.socket.destroyed) return;
    const next = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#resume();
    if (next !== undefined) {
      this.#begin(next);
      return;
    }
    this.#restingAt = this.socket.bytesRead;
    if (this.#latest?.whole) this.#latest = undefined; // an idle connection holds on to nothing
    const closes = this.#ended || this.#context.draining;
    if (closes) this.close();
    if (this.socket instanceof Siding) this.socket.answered(!closes && this.#latest === undefined);
  }

  /** Replaces the current turn: has these bytes parsed again. */
  replay(bytes: Buffer, parse: Parse): void {
    this.#current = undefined;
    parse(this.socket, bytes);
  }

  /** Closes after everything written has been sent; lingers if the client may still be sending. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const unread = this.#ignored || this.#latest?.whole === false;
    this.end();
    const { socket } = this;
    socket.end();
    if (!unread && socket.writableFinished) {
      socket.destroy();
      return;
    }
    if (!unread) socket.once('finish', () => socket.destroy());
    socket.resume(); // discard what is still received
    this.#linger?.cancel();
    this.#linger = this.#context.clock.after(LINGER_MS, () => socket.destroy());
  }

  /**
   * Called when the edge drains: closes now if there is no current turn, otherwise after it. Half a head gets a
   * moment to become a request, whose answer then says that the connection closes.
   */
  drain(): void {
    if (this.#current !== undefined) return;
    if (this.socket.bytesRead === this.#restingAt) {
      this.close();
      return;
    }
    this.#linger = this.#context.clock.after(LINGER_MS, () => {
      if (this.#current === undefined) this.close();
    });
  }

  // Private

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    // Node resumes reading by itself, one tick after each message.
    setImmediate(() => {
      if (this.#paused) this.socket.pause();
    });
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  #begin(turn: Turn): void {
    this.#current = turn;
    turn.begin();
  }
}
