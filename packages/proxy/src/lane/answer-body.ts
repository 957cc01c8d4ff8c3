import { linesOf } from '../headers/lines.ts';
import { passedTrailers } from '../headers/trailers.ts';
import { ChunkWalk } from './bytes/chunk-walk.ts';
import type { ClientWriter } from './client-writer.ts';

/** The body of an answer, passed on as it comes. */
export interface AnswerBody {
  readonly ended: boolean;
  /**
   * Passes on what was received.
   *
   * @param lasting see {@link ClientWriter.bytes}
   * @returns how many of the bytes belong to it; -1 if they are not valid
   */
  pass(bytes: Buffer, lasting: boolean): number;
  /** The instance has ended its side. @returns was that the end of the body? */
  finish(): boolean;
}

/** A body whose length the head has given. */
export class MeasuredBody implements AnswerBody {
  readonly #out: ClientWriter;
  #left: number;

  /** @param length in bytes */
  constructor(out: ClientWriter, length: number) {
    this.#out = out;
    this.#left = length;
  }

  get ended(): boolean {
    return this.#left === 0;
  }

  pass(bytes: Buffer, lasting: boolean): number {
    const used = Math.min(bytes.length, this.#left);
    this.#left -= used;
    this.#out.bytes(used === bytes.length ? bytes : bytes.subarray(0, used), lasting);
    return used;
  }

  finish(): boolean {
    return false;
  }
}

/** A body that ends with the connection; the client gets it in chunks, so that it can tell a whole one. */
export class UnmeasuredBody implements AnswerBody {
  readonly #out: ClientWriter;
  ended = false;

  constructor(out: ClientWriter) {
    this.#out = out;
  }

  pass(bytes: Buffer, lasting: boolean): number {
    if (bytes.length > 0) writeChunk(this.#out, bytes, lasting); // an empty one would be the last
    return bytes.length;
  }

  finish(): boolean {
    this.#out.text('0\r\n\r\n');
    this.ended = true;
    return true;
  }
}

/** A body in chunks (RFC 9112 §7.1). The client gets chunks of our own making: no extension goes through. */
export class ChunkedBody implements AnswerBody {
  readonly #out: ClientWriter;
  readonly #walk = new ChunkWalk();

  constructor(out: ClientWriter) {
    this.#out = out;
  }

  get ended(): boolean {
    return this.#walk.ended;
  }

  pass(bytes: Buffer, lasting: boolean): number {
    const used = this.#walk.walk(bytes, 0, bytes.length, (from, to) =>
      writeChunk(this.#out, bytes.subarray(from, to), lasting),
    );
    if (!this.#walk.ended) return used;
    this.#out.text(`0\r\n${linesOf(passedTrailers(fieldsOf(this.#walk.trailers)))}\r\n`);
    return used;
  }

  finish(): boolean {
    return false;
  }
}

/** The fields in the lines of valid trailers, names and values alternating. */
function fieldsOf(lines: Buffer | undefined): string[] {
  if (lines === undefined) return [];
  return lines
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[\t ]+/, '')];
    });
}

/** Writes nothing if there are no bytes: that would be the end of the body. */
function writeChunk(out: ClientWriter, bytes: Buffer, lasting: boolean): void {
  if (bytes.length === 0) return;
  out.text(`${bytes.length.toString(16)}\r\n`);
  out.bytes(bytes, lasting);
  out.text('\r\n');
}
