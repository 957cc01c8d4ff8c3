import { passHintsOn } from '../headers/hints.ts';
import { type AnswerBody, ChunkedBody, MeasuredBody, UnmeasuredBody } from './answer-body.ts';
import type { AnswerHead } from './bytes/answer-head.ts';
import { DONE, MORE } from './bytes/head-scan.ts';
import type { ClientWriter } from './client-writer.ts';

/** What came of bytes that were received. */
export type Relayed =
  /** There is more to come. */
  | 'more'
  /** The answer has ended, and nothing came behind it. */
  | 'ended'
  /** It has ended, but what came behind it belongs to nothing. */
  | 'overrun'
  /** It is not for the lane: nothing of it has been written. */
  | 'odd'
  /** It goes on with something that is not HTTP. */
  | 'invalid';

/** What a relay needs of the lane. */
interface RelayContext {
  /** Reads heads. */
  readonly answer: AnswerHead;
  /** The line by which clients are told how long their connections are kept. */
  readonly keepAlive: string;
  readonly context: { readonly draining: boolean };
}

const NOTHING = Buffer.alloc(0);
const EVENT_STREAM = /\r\ncontent-type:[\t ]*text\/event-stream/i;

/** Reads one answer of an instance, and writes it to the client as it comes. */
export class AnswerRelay {
  /** Its status; undefined until the whole head has come. */
  status: number | undefined;
  /** Is it the last one on the client's connection? */
  closes = false;
  /** Can the instance's connection carry another request afterwards? */
  isReusable = false;
  /** How long the instance keeps its connection, in seconds; -1 if it does not say. */
  keepAliveSeconds = -1;
  isEventStream = false;
  readonly #lane: RelayContext;
  readonly #out: ClientWriter;
  readonly #isToHead: boolean;
  readonly #added: string;
  /** What has come of its head. */
  #half: Buffer | undefined;
  #body: AnswerBody | undefined;

  /**
   * @param isToHead does it answer HEAD, so that it has no body?
   * @param added lines for its head, by the proxy
   */
  constructor(lane: RelayContext, out: ClientWriter, isToHead: boolean, added: string) {
    this.#lane = lane;
    this.#out = out;
    this.#isToHead = isToHead;
    this.#added = added;
  }

  /** What has come of its head: all that has come if it is odd. */
  get half(): Buffer {
    return this.#half ?? NOTHING;
  }

  /** @param bytes valid only during the call, unless `lasting` */
  receive(bytes: Buffer, lasting: boolean): Relayed {
    if (this.status === undefined) return this.#readHead(bytes);
    return this.#body === undefined ? 'overrun' : this.#pass(this.#body, bytes, lasting);
  }

  /** The instance has ended its side. @returns was that the end of the answer? */
  finish(): boolean {
    return this.#body?.finish() === true;
  }

  // Private

  #readHead(bytes: Buffer): Relayed {
    const { answer, context, keepAlive } = this.#lane;
    const all = this.#half === undefined ? bytes : Buffer.concat([this.#half, bytes]);
    const verdict = answer.read(all, 0, this.#isToHead);
    if (verdict !== DONE) {
      this.#half = all === bytes ? Buffer.from(bytes) : all;
      return verdict === MORE ? 'more' : 'odd';
    }
    this.#half = undefined;
    const { end } = answer;
    if (answer.isInterim) {
      passHintsOn(this.#out, answer.status, answer.rawHeaders());
      return end < all.length ? this.#readHead(all.subarray(end)) : 'more';
    }
    this.status = answer.status;
    this.closes = context.draining;
    this.isReusable = !answer.close;
    this.keepAliveSeconds = answer.keepAliveSeconds;
    this.#out.text(answer.forClient(this.#added, this.closes, keepAlive));
    return this.#beginBody(all, end);
  }

  /** @param from where the body begins */
  #beginBody(all: Buffer, from: number): Relayed {
    const { answer } = this.#lane;
    const { status, length, chunked } = answer;
    const here = all.length - from;
    const hasBody = !this.#isToHead && status !== 204 && status !== 304;
    if (!hasBody || length === 0) return here === 0 ? 'ended' : 'overrun';
    if (length > 0 && here >= length) {
      this.#out.bytes(all.subarray(from, from + length), false);
      return here === length ? 'ended' : 'overrun';
    }
    this.isEventStream = EVENT_STREAM.test(answer.text);
    this.#body = chunked
      ? new ChunkedBody(this.#out)
      : length > 0
        ? new MeasuredBody(this.#out, length)
        : new UnmeasuredBody(this.#out);
    return this.#pass(this.#body, here > 0 ? all.subarray(from) : NOTHING, false);
  }

  #pass(body: AnswerBody, bytes: Buffer, lasting: boolean): Relayed {
    const used = body.pass(bytes, lasting);
    if (used === -1) return 'invalid';
    if (!body.ended) return 'more';
    return used === bytes.length ? 'ended' : 'overrun';
  }
}
