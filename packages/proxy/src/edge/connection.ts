import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@cless/model';

/**
 * Something that has a client's connection to itself from its beginning to its end: an exchange, an upgrade, a refusal.
 * What does not concern it it leaves out.
 */
export interface Turn {
  /** Has all of it been read that the client sends? */
  readonly whole: boolean;
  /** Begins. It ends with a call of {@link Connection.over}, or with the connection. */
  begin(): void;
  /** What follows its head cannot be read. */
  unreadable?(error: Error): void;
  /** Nothing has moved on the connection for so long, in milliseconds. */
  silent?(ms: number): void;
  /** There is room to write again, on a connection that Node's HTTP server has given away. */
  drained?(): void;
}

/** How much may wait behind the turn that is under way, in bytes; then nothing more is read. */
const MAX_WAITING_BYTES = 64 * 1024;
/**
 * How long a client may take to hear the last answer, and to end its side, in milliseconds (RFC 9112 §9.6). To close with
 * bytes unread would be a reset, which can overtake the answer.
 */
const LINGER_MS = 1_000;

interface Surroundings {
  readonly clock: Clock;
  /** Is the edge about to close? */
  readonly draining: boolean;
}

/**
 * A client's connection, from accept to close. At most one turn is under way; what the client sends meanwhile waits, and
 * begins in the order in which it came (RFC 9112 §9.3.2).
 */
export class Connection {
  readonly socket: Socket;
  readonly #world: Surroundings;
  readonly #waiting: Turn[] = [];
  #current: Turn | undefined;
  /** The one that came last; nothing if it was whole and is over. */
  #latest: Turn | undefined;
  /** Nothing that still comes is a request. */
  #ended = false;
  /** Has something come that is not read as a request? */
  #ignored = false;
  #closing = false;
  #givenAway = false;
  #paused = false;
  /** What had been read when the first one began to wait. */
  #waitingFrom = 0;
  /** What had been read when the last turn ended. */
  #restingAt = 0;
  #linger: Timer | undefined;

  constructor(socket: Socket, world: Surroundings) {
    this.socket = socket;
    this.#world = world;
    // Node closes by this when it has written an answer that says `Connection: close`.
    socket.destroySoon = () => this.close();
    socket.once('close', () => {
      this.#linger?.cancel();
      this.#waiting.length = 0;
    });
  }

  /** What is under way. */
  get current(): Turn | undefined {
    return this.#current;
  }

  /** Will nothing that still comes be a request? */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Lets a turn begin, now or when those before it are over. Not for one that follows the last.
   *
   * @param last does it say that nothing follows it?
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
   * What has come cannot be read. If that is the rest of the last turn it is told so; else a refusal comes behind it.
   *
   * @param refusal makes it
   */
  unreadable(error: Error, refusal: () => Turn): void {
    const latest = this.#latest;
    if (latest?.whole === false) {
      this.#ended = true;
      latest.unreadable?.(error);
      if (this.#current === undefined) this.close();
    } else if (this.#ended) {
      this.#ignored = true; // garbage behind `Connection: close` harms nobody
    } else {
      this.take(refusal(), { last: true });
    }
  }

  /**
   * Node's HTTP server has given it away, perhaps not for the first time: it tells answers that are still being written no
   * more that there is room, and hears no error.
   */
  givenAway(): void {
    if (this.#givenAway) return;
    this.#givenAway = true;
    this.socket.on('drain', () => this.#current?.drained?.());
    this.socket.on('error', () => {}); // `close` follows
  }

  /** What still comes is for nobody. */
  ignore(): void {
    this.#ignored = true;
    // Nor for Node's parser, which some megabytes of small requests would keep busy for seconds.
    this.socket.on('data', () => {}).removeAllListeners('data');
    this.socket.resume();
  }

  /** Nothing that still comes is read as a request, and what waits is not either. */
  end(): void {
    this.#ended = true;
    this.#ignored ||= this.#waiting.length > 0;
    this.#waiting.length = 0;
  }

  /** The turn that was under way has ended. */
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
    if (this.#latest?.whole) this.#latest = undefined; // a connection that rests keeps nothing
    if (this.#ended || this.#world.draining) this.close();
  }

  /** The turn that is under way was none: gives its bytes to the server, which reads them anew. */
  replay(bytes: Buffer, server: EventEmitter): void {
    this.#current = undefined;
    this.socket.pause();
    this.socket.unshift(bytes);
    server.emit('connection', this.socket);
    this.socket.resume();
  }

  /** Closes after what has been written; lingers if the client may still be sending. */
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
    socket.resume(); // whatever still comes is for nobody
    this.#linger?.cancel();
    this.#linger = this.#world.clock.after(LINGER_MS, () => socket.destroy());
  }

  /**
   * The edge is about to close: closes now if nothing is under way. What is, is closed by its end; half a head has a
   * moment to become a request, which is then told.
   */
  drain(): void {
    if (this.#current !== undefined) return;
    if (this.socket.bytesRead === this.#restingAt) {
      this.close();
      return;
    }
    this.#linger = this.#world.clock.after(LINGER_MS, () => {
      if (this.#current === undefined) this.close();
    });
  }

  // Private

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    // Node reads on by itself after each message that it has read, a tick later.
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
