import { type HeadScan, PER_FIELD } from './head-scan.ts';

const SPACE = 32;

/**
 * Which fields of a head are passed on. They are copied as runs of lines, as they were written but for the space after
 * the colon, which undici and node:http write as one.
 */
export class PassingFields {
  /** The fields that end a run, in their order: those that do not pass, and those that are written in another way. */
  readonly #cuts: Int32Array;
  /** How each is cut. */
  readonly #how: Uint8Array;
  #count = 0;

  constructor(maxFields: number) {
    this.#cuts = new Int32Array(maxFields);
    this.#how = new Uint8Array(maxFields);
  }

  clear(): void {
    this.#count = 0;
  }

  /** The field does not pass. Call in the order of fields. */
  drop(field: number): void {
    this.#cut(field, DROPPED);
  }

  /** The field passes only if the client is trusted. */
  dropUnlessTrusted(bytes: Buffer, field: number, { offsets }: HeadScan): void {
    this.#cut(field, isUsual(bytes, field, offsets) ? TRUSTED : TRUSTED_RESPACED);
  }

  /** The field passes. */
  pass(bytes: Buffer, field: number, { offsets }: HeadScan): void {
    if (!isUsual(bytes, field, offsets)) this.#cut(field, RESPACED);
  }

  /** The lines that pass. @param text of the head, which began at `start` */
  lines(text: string, start: number, { offsets, fields }: HeadScan, trusted: boolean): string {
    if (fields === 0) return '';
    let lines = '';
    /** Where the run begins. */
    let from = offsets[0] as number;
    for (let i = 0; i < this.#count; i++) {
      const how = this.#how[i] as number;
      if (how === TRUSTED && trusted) continue;
      const at = (this.#cuts[i] as number) * PER_FIELD;
      const nameStart = offsets[at] as number;
      const valueEnd = offsets[at + 3] as number;
      if (nameStart > from) lines += text.slice(from - start, nameStart - start);
      if (how === RESPACED || (how === TRUSTED_RESPACED && trusted)) {
        const name = text.slice(nameStart - start, (offsets[at + 1] as number) - start);
        lines += `${name}: ${text.slice((offsets[at + 2] as number) - start, valueEnd - start)}\r\n`;
      }
      from = valueEnd + 2;
    }
    const end = (offsets[fields * PER_FIELD - 1] as number) + 2;
    return end > from ? lines + text.slice(from - start, end - start) : lines;
  }

  // Private

  #cut(field: number, how: number): void {
    this.#cuts[this.#count] = field;
    this.#how[this.#count] = how;
    this.#count += 1;
  }
}

const DROPPED = 0;
const RESPACED = 1;
const TRUSTED = 2;
const TRUSTED_RESPACED = 3;

/** Is there exactly a space between the colon and the value? */
function isUsual(bytes: Buffer, field: number, offsets: Int32Array): boolean {
  const nameEnd = offsets[field * PER_FIELD + 1] as number;
  return offsets[field * PER_FIELD + 2] === nameEnd + 2 && bytes[nameEnd + 1] === SPACE;
}
