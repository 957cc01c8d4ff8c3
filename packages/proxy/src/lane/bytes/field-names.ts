/** How the lane recognises names in bytes: by their length and first letter first, since most mean nothing to it. */
export class FieldNames<Meaning extends number> {
  /** By length and first letter. */
  readonly #candidates: (Candidate<Meaning>[] | undefined)[] = new Array(MAX_LENGTH * LETTERS);

  /** @param names in lower case, of letters, digits and `-` */
  constructor(names: Iterable<readonly [name: string, meaning: Meaning]>) {
    this.#candidates.fill(undefined);
    for (const [name, meaning] of names) {
      const at = name.length * LETTERS + (name.charCodeAt(0) & LETTER);
      const others = this.#candidates[at] ?? [];
      this.#candidates[at] = [...others, { bytes: Buffer.from(name), meaning }];
    }
  }

  /** What the name at `from` means; 0 if nothing. @param to where it ends; all of it must be of a token */
  meaningOf(bytes: Buffer, from: number, to: number): Meaning | 0 {
    const length = to - from;
    if (length >= MAX_LENGTH) return 0;
    const candidates = this.#candidates[length * LETTERS + ((bytes[from] as number) & LETTER)];
    if (candidates === undefined) return 0;
    for (const candidate of candidates) if (isNamed(bytes, from, candidate.bytes)) return candidate.meaning;
    return 0;
  }
}

interface Candidate<Meaning> {
  readonly bytes: Uint8Array;
  readonly meaning: Meaning;
}

const MAX_LENGTH = 32;
/** The bits of a letter that say which it is, in either case. */
const LETTER = 31;
const LETTERS = LETTER + 1;
/** The bit that makes a letter small. Among bytes of tokens, no other becomes a small letter, a digit or `-` by it. */
const SMALL = 0x20;

function isNamed(bytes: Buffer, from: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (((bytes[from + i] as number) | SMALL) !== name[i]) return false;
  return true;
}

/** Do the bytes spell these small letters, in either case? @param letters may contain `-` */
export function spell(bytes: Buffer, from: number, to: number, letters: Uint8Array): boolean {
  if (to - from !== letters.length) return false;
  for (let i = 0; i < letters.length; i++) {
    const byte = bytes[from + i] as number;
    if (byte !== letters[i] && (byte < 0x41 || byte > 0x5a || byte + SMALL !== letters[i])) return false;
  }
  return true;
}
