import type { Socket } from 'node:net';
import type { Begun, HeadStart } from '../request/begun.ts';
import type { Choice } from '../services/source.ts';
import { ChunkWalk } from './bytes/chunk-walk.ts';
import { ASIDE, DONE, MORE } from './bytes/head-scan.ts';
import { ClientRoute } from './client-route.ts';
import { ClientWriter } from './client-writer.ts';
import { type Client, Exchange } from './exchange.ts';
import type { LaneParts } from './parts.ts';
import { Siding } from './siding.ts';

/** How much may wait behind the current request, in bytes. Beyond that, reading stops. */
const MAX_WAITING_BYTES = 64 * 1024;
/** In how many pieces it may come. Each is copied to those before it. */
const MAX_WAITING_PIECES = 1_000;
/** In how many pieces a head may come. Each makes us scan it again; Node's parser goes on where it was. */
const MAX_PIECES = 16;
/** Connections are kept a little longer than we say, so that a client's last request does not meet the end. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
const NOTHING = Buffer.alloc(0);

/** A request that takes the full way. */
interface Aside {
  readonly siding: Siding;
  /** How many of its bytes have not come yet; Infinity if the connection does not come back. */
  left: number;
  /** Finds the end of a body in chunks; undefined if its length is known. */
  chunks: ChunkWalk | undefined;
}

/**
 * A client's connection while the lane has it. Requests are answered one at a time, in order; what the client sends
 * meanwhile waits (RFC 9112 §9.3.2).
 */
export class ClientConnection implements Client {
  readonly socket: Socket;
  readonly out: ClientWriter;
  readonly #lane: LaneParts;
  readonly #left: () => void;
  readonly #route: ClientRoute;
  /** The request being answered on the lane. */
  #exchange: Exchange | undefined;
  /** The request being answered on the full way. */
  #aside: Aside | undefined;
  /** Received, but not yet read. */
  #waiting: Buffer | undefined;
  #waitingPieces = 0;
  /** In how many pieces the head that is read has come. */
  #pieces = 0;
  #isPaused = false;
  #hasAnswered = false;
  /** How many bytes had moved at the last sweep, and since when that is so. */
  #moved = 0;
  #movedAtMs: number;
  /** Since when a head is awaited, or half of one is there. */
  #headSinceMs: number;

  /** @param left called when the lane has nothing to do with it any more */
  constructor(socket: Socket, lane: LaneParts, left: () => void) {
    this.socket = socket;
    this.out = new ClientWriter(socket, this.#onDrain);
    this.#lane = lane;
    this.#left = left;
    this.#route = new ClientRoute(socket, lane.context);
    this.#movedAtMs = this.#headSinceMs = lane.context.clock.now();
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('drain', this.#onDrain)
      .on('error', this.#onError)
      .on('close', this.#onClose);
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  /** Reads on, unless too much waits already. */
  resume(): void {
    if (!this.#isPaused || this.#waitsTooMuch) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  get isFull(): boolean {
    return this.socket.writableNeedDrain;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  answered(closes: boolean): void {
    const isWhole = this.#exchange?.left === 0;
    this.#hasAnswered = true;
    this.#exchange = undefined;
    if (closes) this.#close(!isWhole);
    else this.#next();
  }

  goOn(begun: Begun, bytes: Buffer, left: number): void {
    this.#exchange = undefined;
    this.#branchOff({ begun }, bytes, left, undefined);
  }

  breakOff(): void {
    this.#exchange = undefined;
    this.socket.destroy();
  }

  /** Called about once a second, for whatever has taken too long. */
  sweep(nowMs: number): void {
    const moved = this.socket.bytesRead + this.socket.bytesWritten;
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#movedAtMs = nowMs;
    }
    const silentMs = nowMs - this.#movedAtMs;
    if (this.#aside !== undefined) return; // the full way has its own limits
    if (this.#exchange !== undefined) {
      this.#exchange.sweep(silentMs, nowMs);
      return;
    }
    const { headersTimeoutMs, keepAliveTimeoutMs } = this.#lane.context.limits;
    if (this.#waiting !== undefined || !this.#hasAnswered) {
      if (nowMs - this.#headSinceMs >= headersTimeoutMs) this.#refuse('ERR_HTTP_REQUEST_TIMEOUT');
    } else if (silentMs >= keepAliveTimeoutMs + KEEP_ALIVE_MARGIN_MS) {
      this.socket.destroy();
    }
  }

  /** Called when the edge drains: an idle connection is closed; half a head is given to the full way, which waits a moment. */
  drain(): void {
    if (this.#exchange !== undefined || this.#aside !== undefined) return;
    if (this.#waiting === undefined) this.#close();
    else this.#giveAway(this.#waiting);
  }

  // Private

  readonly #onData = (bytes: Buffer) => {
    if (this.#exchange !== undefined) this.#take(this.#exchange, bytes);
    else if (this.#aside !== undefined) this.#give(this.#aside, bytes);
    else this.#read(this.#waiting === undefined ? bytes : Buffer.concat([this.#waiting, bytes]));
  };

  readonly #onDrain = () => {
    this.#exchange?.clientDrained();
  };

  /** As with Node's server, a client that ends its side gets no further answer, but a refusal of half a request. */
  readonly #onEnd = () => {
    if (this.#aside !== undefined) this.#aside.siding.finish();
    else if (this.#exchange !== undefined) {
      if (!this.#exchange.cutOff()) this.socket.end();
    } else if (this.#waiting === undefined) this.socket.end();
    else this.#refuse('HPE_INVALID_EOF_STATE');
  };

  readonly #onError = () => {}; // `close` follows

  readonly #onClose = () => {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#left();
    exchange?.abandoned();
  };

  /** Gives the exchange what belongs to its body. The rest is kept first, since the exchange may be over with it. */
  #take(exchange: Exchange, bytes: Buffer): void {
    const used = Math.min(exchange.left, bytes.length);
    this.#hold(bytes, used);
    if (used > 0) exchange.body(used === bytes.length ? bytes : bytes.subarray(0, used));
  }

  /** Keeps what follows the first `used` bytes until the current request is over. */
  #hold(bytes: Buffer, used: number): void {
    if (used === bytes.length) return;
    const rest = bytes.subarray(used);
    this.#waitingPieces = this.#waiting === undefined ? 1 : this.#waitingPieces + 1;
    this.#waiting = this.#waiting === undefined ? rest : Buffer.concat([this.#waiting, rest]);
    if (this.#waitsTooMuch) this.pause();
  }

  get #waitsTooMuch(): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    return waiting.length > MAX_WAITING_BYTES || this.#waitingPieces > MAX_WAITING_PIECES;
  }

  /** Reads the next request if it has come already. */
  #next(): void {
    this.resume();
    if (this.#waiting !== undefined) this.#read(this.#waiting);
    else if (this.#lane.context.draining) this.#close();
  }

  #read(bytes: Buffer): void {
    this.#waiting = undefined;
    this.resume();
    const { request: head, context } = this.#lane;
    const { limits, clock } = context;
    const verdict = head.read(bytes, 0);
    if (verdict === DONE) {
      const { end, length } = head;
      this.#exchange = this.#begin();
      if (this.#exchange === undefined) this.#divert(bytes, end + length, undefined, this.#route.choice);
      else if (end < bytes.length) this.#take(this.#exchange, bytes.subarray(end));
    } else if (verdict === ASIDE) {
      if (head.chunked) this.#divert(bytes, head.end, new ChunkWalk());
      else this.#divert(bytes, head.end + head.length, undefined);
    } else if (verdict === MORE && this.#pieces < MAX_PIECES && bytes.length <= limits.maxHeaderBytes) {
      this.#waiting = bytes;
      if (context.draining) {
        this.#close(); // it is behind the last answer
        return;
      }
      if (this.#pieces === 0) this.#headSinceMs = clock.now();
      this.#pieces += 1;
      return;
    } else {
      this.#giveAway(bytes);
    }
    this.#pieces = 0;
  }

  /** Begins to answer the request whose head was read; undefined if it has to take the full way. */
  #begin(): Exchange | undefined {
    const { request: head, context } = this.#lane;
    const { limits, draining } = context;
    if (
      draining ||
      head.end > limits.maxHeaderBytes ||
      head.target.length > limits.maxTargetBytes ||
      head.length > limits.maxBodyBytes
    ) {
      this.#route.choice = undefined;
      return undefined;
    }
    const leased = this.#route.lease(head);
    return leased && new Exchange(this.#lane, this, leased);
  }

  /** Sends a request the full way from its beginning. @param length of it all, or with chunks of the head, in bytes */
  #divert(bytes: Buffer, length: number, chunks: ChunkWalk | undefined, choice?: Choice): void {
    const here = Math.min(length, bytes.length);
    this.#branchOff({ choice }, bytes.subarray(0, here), length - here, chunks);
    if (here < bytes.length && this.#aside !== undefined) this.#give(this.#aside, bytes.subarray(here));
  }

  #branchOff(headStart: HeadStart, bytes: Buffer, left: number, chunks: ChunkWalk | undefined): void {
    const siding = new Siding(
      {
        socket: this.socket,
        wanted: () => this.resume(),
        left: () => this.#comeBack(),
        stays: () => this.#stay(),
      },
      headStart,
    );
    this.#aside = { siding, left, chunks };
    this.#lane.fullWay.takeOne(siding);
    siding.give(bytes);
    this.resume();
  }

  /** Gives the full way what belongs to its request, and keeps the rest. */
  #give(aside: Aside, bytes: Buffer): void {
    let used = Math.min(aside.left, bytes.length);
    if (aside.chunks !== undefined) {
      used = aside.chunks.walk(bytes, 0, bytes.length, ignore);
      if (used === -1 || !aside.chunks.plain) {
        this.#stay(bytes); // what is not plain is the full way's to read
        return;
      }
    } else {
      aside.left -= used;
    }
    if (used > 0 && !aside.siding.give(used === bytes.length ? bytes : bytes.subarray(0, used))) this.pause();
    this.#hold(bytes, used);
  }

  /** The full way keeps the connection: it gets everything. */
  #stay(bytes: Buffer = NOTHING): void {
    const aside = this.#aside;
    if (aside === undefined) return;
    aside.siding.stay();
    aside.chunks = undefined;
    aside.left = Number.POSITIVE_INFINITY;
    const waiting = this.#waiting ?? NOTHING;
    this.#waiting = undefined;
    for (const part of [waiting, bytes]) if (part.length > 0) aside.siding.give(part);
    this.resume();
  }

  /** The full way has answered. */
  #comeBack(): void {
    this.#aside = undefined;
    this.#hasAnswered = true;
    this.#next();
  }

  /** Gives the connection to the full way for good. */
  #giveAway(bytes: Buffer): void {
    this.#lane.fullWay.take(this.#leave(), bytes);
  }

  /** Ends it with a refusal. @param code as of Node's server */
  #refuse(code: string): void {
    const rawPacket = this.#waiting ?? NOTHING;
    const error = Object.assign(new Error(code), { code, rawPacket, bytesParsed: rawPacket.length });
    this.#lane.fullWay.refuse(this.#leave(), error);
  }

  /** @param isUnread may the client still be sending what nobody reads? */
  #close(isUnread = false): void {
    const unread = isUnread || this.#waiting !== undefined;
    this.#lane.fullWay.finish(this.#leave(), unread);
  }

  #leave(): Socket {
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('drain', this.#onDrain)
      .off('error', this.#onError)
      .off('close', this.#onClose);
    this.#left();
    this.#waiting = undefined;
    return this.socket;
  }
}

function ignore(): void {}
