import { randomUUID } from 'node:crypto';
import { Failure, type Timer } from '@cless/model';
import { connectFailed, UpstreamError, wasClosed } from '../forward/forward-error.ts';
import type { Begun } from '../request/begun.ts';
import { silence } from '../request/journey.ts';
import { isRequestId } from '../request/record.ts';
import { AnswerRelay, type Relayed } from './answer-relay.ts';
import type { Leased } from './client-route.ts';
import type { ClientWriter } from './client-writer.ts';
import type { InstanceConnection, User } from './instance-connection.ts';
import type { InstancePool } from './instance-pool.ts';
import { OddAnswer } from './odd-answer.ts';
import type { LaneParts } from './parts.ts';

/** How much of a body may wait for a connection to be made, in bytes. Beyond that, the client is not read. */
const MAX_WAITING_BYTES = 64 * 1024;
/** Reads of more than this may have to wait for the client, and are not copied for it. */
const LONG_READ_BYTES = 16 * 1024;
/** Shorter response time-outs get a timer of their own, in milliseconds; others are looked at at each sweep. */
const SHORT_TIMEOUT_MS = 2_000;
const CONTENT_LENGTH = /(\r\ncontent-length:[\t ]*)\d+/i;
const NOTHING = Buffer.alloc(0);

/** The client of an exchange, whose connection is the exchange's own while it lasts. */
export interface Client {
  readonly out: ClientWriter;
  /** Does it not read as fast as is written? Then `clientDrained` is called. */
  readonly isFull: boolean;
  /** Has its reading been stopped? */
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
  /** Called when the whole answer has been written, and the request is not read any further. @param closes is it the last? */
  answered(closes: boolean): void;
  /**
   * Lets the request go on the full way.
   *
   * @param bytes its head again, and what has come of its body but was not sent
   * @param left how many bytes of its body have not come yet
   */
  goOn(begun: Begun, bytes: Buffer, left: number): void;
  /** The answer cannot be whole any more. */
  breakOff(): void;
}

/** One request on the lane, from its lease to the end of its answer. */
export class Exchange implements User {
  readonly #lane: LaneParts;
  readonly #client: Client;
  readonly #leased: Leased;
  readonly #beganMs: number;
  /** The head as received. */
  readonly #head: string;
  readonly #method: string;
  readonly #target: string;
  readonly #host: string;
  readonly #requestId: string;
  readonly #pool: InstancePool;
  readonly #instance: InstanceConnection;

  #left: number;
  /** What has come of it before there was a connection to send it on. */
  #waiting: Buffer | undefined;
  #bodyTaken = false;
  /** When something was last sent to the instance, in the clock's time. */
  #sentAtMs: number;
  #timer: Timer | undefined;

  readonly #answer: AnswerRelay;
  /** Does undici send nothing else on the instance's connection? */
  readonly #isLast: boolean;
  /** Has the whole answer been handed to the client's connection? */
  #isAnswered = false;
  /** Has it been counted, since the client has been given the whole answer? */
  #isRecorded = false;
  #clientIsFull = false;

  constructor(lane: LaneParts, client: Client, leased: Leased) {
    const { request: head, context } = lane;
    this.#lane = lane;
    this.#client = client;
    this.#leased = leased;
    this.#beganMs = this.#sentAtMs = context.clock.now();
    this.#head = head.text;
    this.#method = head.method;
    this.#target = head.target;
    this.#host = head.host;
    const { requestId } = head;
    this.#requestId = requestId !== undefined && isRequestId(requestId) ? requestId : randomUUID();
    this.#left = head.length;
    context.retries.earn();
    leased.meter.begin();
    this.#pool = lane.pool(leased.lease);
    this.#instance = this.#pool.take(this.#beganMs);
    this.#instance.use(this);
    this.#instance.writeHead(head.forInstance(leased.origin, this.#requestId, leased.trusted));
    this.#isLast = head.isLast;
    this.#answer = new AnswerRelay(lane, client.out, head.method === 'HEAD', this.#added());
    if (this.#timeoutMs < SHORT_TIMEOUT_MS) this.#watch();
  }

  // From the client

  /** How many bytes of the body have not come from the client yet. */
  get left(): number {
    return this.#left;
  }

  /** Takes a part of the body, of at most `left` bytes. */
  body(part: Buffer): void {
    this.#left -= part.length;
    if (this.#isAnswered) {
      this.#next();
    } else if (this.#instance.isConnected) {
      this.#send(part);
    } else {
      this.#waiting = this.#waiting === undefined ? part : Buffer.concat([this.#waiting, part]);
      if (this.#waiting.length > MAX_WAITING_BYTES) this.#client.pause();
    }
  }

  /** The client has ended its side. @returns is its request refused, because some of it is missing? */
  cutOff(): boolean {
    if (this.#left === 0 || this.#answer.status !== undefined) return false;
    this.#fail(new Failure('BAD_REQUEST', 'the body is shorter than Content-Length says'));
    return true;
  }

  /** The client has read what was written. */
  clientDrained(): void {
    if (!this.#clientIsFull) return;
    this.#clientIsFull = false;
    if (this.#isAnswered) this.#next();
    else this.#instance.resume();
  }

  /** The client is gone. */
  abandoned(): void {
    if (!this.#isAnswered) this.#leaveInstance(false);
    if (!this.#isRecorded) this.#record(this.#answer.status ?? 499, new Error('broken off'));
  }

  /** Called about once a second. @param silentMs for how long no byte has moved on the client's connection */
  sweep(silentMs: number, nowMs: number): void {
    const { bodyTimeoutMs, idleTimeoutMs } = this.#lane.context.limits;
    if (this.#answer.status !== undefined) {
      if (silentMs >= idleTimeoutMs && !this.#answer.isEventStream)
        this.#breakOff(new Error(`nothing moved for ${silentMs} ms`), false);
    } else if (!this.#instance.isConnected) {
      return; // connecting has its own limit
    } else if (this.#left === 0) {
      if (nowMs - this.#sentAtMs >= this.#timeoutMs) this.#fail(late());
    } else if (this.#client.isPaused) {
      if (silentMs >= idleTimeoutMs) this.#fail(silence('UPSTREAM_TIMEOUT', silentMs));
    } else if (silentMs >= bodyTimeoutMs) {
      this.#fail(silence('REQUEST_TIMEOUT', silentMs));
    }
  }

  // From the instance (User)

  connected(): void {
    this.#sentAtMs = this.#lane.context.clock.now();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    this.#client.resume();
    this.#send(waiting);
  }

  drained(): void {
    this.#client.resume();
  }

  received(bytes: Buffer, lasting: boolean): boolean {
    this.#relayed(this.#answer.receive(bytes, lasting), bytes.length);
    return this.#isAnswered || !this.#clientIsFull; // a free connection is read, whoever it was for
  }

  finished(): void {
    if (this.#answer.finish()) this.#answered(false);
    else this.gone(undefined);
  }

  gone(error: Error | undefined): void {
    if (this.#isAnswered) return;
    const why = this.#explain(error ?? Object.assign(new Error('the instance left'), { code: 'ECONNRESET' }));
    if (this.#answer.status === undefined) this.#fail(why);
    else this.#breakOff(why, true);
  }

  // Private

  get #timeoutMs(): number {
    return this.#leased.lease.responseTimeoutMs ?? this.#lane.responseTimeoutMs;
  }

  #watch(): void {
    const { clock } = this.#lane.context;
    const isSent = this.#left === 0 && this.#instance.isConnected;
    const sinceMs = isSent ? this.#sentAtMs : clock.now();
    const leftMs = this.#timeoutMs - (clock.now() - sinceMs);
    if (leftMs > 0) this.#timer = clock.after(leftMs, () => this.#watch());
    else this.#fail(late());
  }

  #send(part: Buffer): void {
    this.#bodyTaken = true;
    this.#sentAtMs = this.#lane.context.clock.now();
    if (!this.#instance.write(part)) this.#client.pause();
    if (!this.#instance.isWriting) giveBack(part);
  }

  /** @param length of the bytes that were received */
  #relayed(what: Relayed, length: number): void {
    switch (what) {
      case 'more':
        if (this.#answer.status === undefined) return;
        this.#timer?.cancel();
        this.#instance.streaming = length > LONG_READ_BYTES;
        this.#flush();
        return;
      case 'ended':
      case 'overrun':
        this.#answered(what === 'ended');
        return;
      case 'odd':
        this.#fail(new OddAnswer(this.#instance, this.#answer.half));
        return;
      case 'invalid':
        this.#breakOff(
          new UpstreamError('UPSTREAM_INVALID', 'sent', new Error('the body is not valid')),
          false,
        );
    }
  }

  #flush(): void {
    const waits = this.#client.out.flush();
    this.#clientIsFull = waits || this.#client.isFull;
  }

  /** @param isClean can its connection carry another answer? */
  #answered(isClean: boolean): void {
    this.#isAnswered = true;
    this.#flush();
    this.#leaveInstance(isClean && this.#answer.isReusable && !this.#isLast && this.#left === 0);
    this.#next();
  }

  /** Goes on once the client has read the answer, and has sent its request to the end unless nothing follows it. */
  #next(): void {
    if (this.#clientIsFull) return;
    if (!this.#isRecorded) this.#record(this.#answer.status ?? 0, undefined);
    const { closes } = this.#answer;
    if (this.#left === 0 || closes) this.#client.answered(closes);
    else this.#client.resume(); // the rest of its body is read, but for nobody
  }

  /** Sends the request on the full way, from here on. @param outcome why it failed, or where its answer is */
  #fail(outcome: Begun['outcome']): void {
    const { service, tag, lease, choice, meter } = this.#leased;
    this.#timer?.cancel();
    if (outcome instanceof Error) this.#instance.destroy();
    const bodyTaken = this.#bodyTaken;
    const head = bodyTaken ? this.#head.replace(CONTENT_LENGTH, `$1${this.#left}`) : this.#head;
    this.#client.goOn(
      {
        requestId: this.#requestId,
        beganMs: this.#beganMs,
        service,
        tag,
        choice,
        meter,
        lease,
        bodyTaken,
        outcome,
      },
      Buffer.concat([Buffer.from(head, 'latin1'), this.#waiting ?? NOTHING]),
      this.#left,
    );
  }

  /** The answer cannot be whole any more: the client's connection ends. @param examine is the instance to be checked? */
  #breakOff(error: Error, examine: boolean): void {
    if (!this.#isAnswered) this.#leaveInstance(false);
    if (examine) void this.#leased.lease.examine();
    if (!this.#isRecorded) this.#record(this.#answer.status ?? 0, error);
    this.#client.out.flush();
    this.#client.breakOff();
  }

  /** @param reusable can its connection carry another request? */
  #leaveInstance(reusable: boolean): void {
    this.#timer?.cancel();
    if (reusable)
      this.#pool.give(this.#instance, this.#lane.context.clock.now(), this.#answer.keepAliveSeconds);
    else this.#instance.destroy();
    this.#leased.lease.release();
  }

  #explain(error: Error): UpstreamError {
    if (error instanceof UpstreamError) return error;
    if (!this.#instance.isConnected) return connectFailed(error);
    const fresh = wasClosed(error) ? 'closed' : 'sent';
    const reached = this.#instance.answered ? 'sent' : this.#instance.used ? 'stale' : fresh;
    return new UpstreamError('UPSTREAM_DISCONNECTED', reached, error);
  }

  /** The headers that the proxy adds to the answer, as lines. */
  #added(): string {
    const { cookie } = this.#leased.choice;
    const id = `X-Request-Id: ${this.#requestId}\r\n`;
    return cookie === undefined ? id : `${id}Set-Cookie: ${cookie}\r\n`;
  }

  #record(status: number, error: unknown): void {
    const { service, choice, meter } = this.#leased;
    const { onAccess, clock } = this.#lane.context;
    this.#isRecorded = true;
    meter.end(status);
    onAccess?.({
      requestId: this.#requestId,
      method: this.#method,
      host: this.#host,
      path: this.#target,
      service,
      revision: choice.revision.id,
      status,
      durationMs: clock.now() - this.#beganMs,
      waitedFor: undefined,
      error,
    });
  }
}

/**
 * Frees what the client's bytes were read into. V8 would, but only after tens of megabytes: there is so little other garbage
 * that it seldom collects.
 */
function giveBack({ buffer, length }: Buffer): void {
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === length;
  if (isWhole && length > LONG_READ_BYTES) buffer.transfer(0);
}

function late(): UpstreamError {
  return new UpstreamError('UPSTREAM_TIMEOUT', 'sent', new Error('no answer'));
}
