import { fuzzRuns, fuzzSeed, seededRandom } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { AnswerHead } from '../../src/lane/bytes/answer-head.ts';
import { ChunkWalk } from '../../src/lane/bytes/chunk-walk.ts';
import { ASIDE, DONE, HeadScan, MORE, OTHER, PER_FIELD } from '../../src/lane/bytes/head-scan.ts';
import { RequestHead } from '../../src/lane/bytes/request-head.ts';
import { mutantOf } from './mutants.ts';
import { type Kind, type Reading, readByNode, readByUndici } from './parsers.ts';
import { answerSeeds, requestSeeds } from './seeds.ts';

/*
 * What the lane reads, strict llhttp reads in the same way: for mutated messages of all kinds, what is accepted has the
 * same method, target, headers, framing, body and end for Node's parser and for undici's. What is declined is theirs to
 * judge. `npm run fuzz` tries ten million of each, `FUZZ_SEED` others.
 */

const MUTANTS = 500 * fuzzRuns(400);
const SEED = fuzzSeed(20261125);
const PATIENCE_MS = 4 * 3_600_000;
const MOST_SHOWN = 5;
/** How many of the mutants are of messages that are accepted as they are. */
const OF_PLAIN = 0.75;

const PARSERS = [readByNode, readByUndici];

const scan = new HeadScan(1_000);
const request = new RequestHead(200);
const answer = new AnswerHead(1_000, () => 'now');
const walk = new ChunkWalk();

/** How the lane reads a message. */
type Outcome = 'done' | 'aside' | 'more' | 'other' | 'done, but not its chunks';
const OUTCOMES: Readonly<Record<number, Outcome>> = {
  [DONE]: 'done',
  [ASIDE]: 'aside',
  [MORE]: 'more',
  [OTHER]: 'other',
};

/** What we refuse and llhttp does not: long lines, and trailers that it ignores. */
const OVER_LIMITS = /[\da-f]{9}|[^\r\n]{4000}|transfer-encoding:/i;

interface Body {
  readonly text: string;
  /** In bytes. */
  readonly length: number;
  readonly ended: boolean;
  readonly trailers: string;
}

/** The body of the message whose head ends at `end`; undefined if it is not valid. @param length -1 for until close */
function bodyOf(bytes: Buffer, end: number, length: number, chunked: boolean): Body | undefined {
  if (chunked) {
    let text = '';
    let at = end;
    walk.reset();
    // In pieces of any size, as bytes are received.
    for (let size = 1; at < bytes.length && !walk.ended; size = (size * 7 + 3) % 31) {
      const consumed = walk.walk(bytes, at, Math.min(bytes.length, at + size), (from, to) => {
        text += bytes.toString('latin1', from, to);
      });
      if (consumed === -1) return undefined;
      at += consumed;
    }
    const { ended, trailers } = walk;
    return { text, length: at - end, ended, trailers: trailers?.toString('latin1') ?? '' };
  }
  const text = bytes.toString(
    'latin1',
    end,
    length === -1 ? bytes.length : Math.min(end + length, bytes.length),
  );
  return { text, length: text.length, ended: text.length === length, trailers: '' };
}

/** The names and values of the head that has just been scanned. */
function scanned(bytes: Buffer): string[] {
  const { offsets } = scan;
  const parts: string[] = [];
  for (let at = 0; at < scan.fields * PER_FIELD; at += 2)
    parts.push(bytes.toString('latin1', offsets[at], offsets[at + 1]));
  return parts;
}

/** What a parser must have read, and in which piece of these. */
interface Expected {
  readonly pieces: readonly Buffer[];
  readonly reading: Partial<Reading>;
}

/** Cuts so that a parser has to find the ends of head and body exactly where we do. */
function expected(bytes: Buffer, end: number, reading: Partial<Reading>, body: Body | undefined): Expected {
  const head = [bytes.subarray(0, end - 1), bytes.subarray(end - 1, end)];
  if (body === undefined) {
    const refused = OVER_LIMITS.test(bytes.toString('latin1', end)) ? {} : { refused: true };
    return { pieces: [...head, bytes.subarray(end)], reading: { ...reading, headIn: 1, ...refused } };
  }
  const { text, length, ended, trailers } = body;
  const whole = { ...reading, headIn: 1, refused: false, body: text };
  if (!ended) return { pieces: [...head, bytes.subarray(end)], reading: { ...whole, endIn: -1 } };
  const to = end + length;
  const pieces = [
    ...head,
    bytes.subarray(end, Math.max(end, to - 1)),
    bytes.subarray(Math.max(end, to - 1), to),
  ];
  return {
    pieces: [...pieces, bytes.subarray(to)],
    reading: { ...whole, endIn: length === 0 ? 1 : 3, trailers: fieldsOf(trailers) },
  };
}

function fieldsOf(lines: string): string[] {
  const parts: string[] = [];
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    parts.push(line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+/, ''));
  }
  return parts;
}

/** Only Node's parser removes spaces at the ends of trailers. */
function comparable(key: string, value: unknown): string {
  const text = JSON.stringify(value);
  return key === 'trailers' ? text.replace(/(?: |\\t)+"/g, '"') : text;
}

/** In what a parser reads it in another way; undefined if in nothing. */
function differenceOf(kind: Kind, bytes: Buffer, { pieces, reading }: Expected): string | undefined {
  for (const read of PARSERS) {
    const theirs = read(kind, pieces);
    for (const [key, ours] of Object.entries(reading)) {
      const [a, b] = [comparable(key, ours), comparable(key, theirs[key as keyof Reading])];
      if (a !== b)
        return `${JSON.stringify(bytes.toString('latin1'))}: ${key} is ${b} for ${read.name}, ${a} for us`;
    }
  }
  return undefined;
}

type Checked = [outcome: Outcome, difference?: string | undefined];

function checkRequest(bytes: Buffer): Checked {
  const verdict = request.read(bytes, 0);
  const outcome = OUTCOMES[verdict] ?? 'other';
  if (verdict !== DONE && verdict !== ASIDE) return [outcome];
  scan.request(bytes, 0);
  const { method, target, end, length, chunked } = request;
  const body = bodyOf(bytes, end, length, chunked);
  const reading = {
    method,
    target,
    version: '1.1',
    headers: scanned(bytes),
    upgrade: false,
    keepAlive: true,
  };
  const difference = differenceOf('request', bytes, expected(bytes, end, reading, body));
  return [body === undefined ? 'done, but not its chunks' : outcome, difference];
}

function checkAnswer(bytes: Buffer, kind: 'answer' | 'answer to HEAD'): Checked {
  const bodiless = kind === 'answer to HEAD';
  const verdict = answer.read(bytes, 0, bodiless);
  if (verdict !== DONE) return [OUTCOMES[verdict] ?? 'other'];
  scan.answer(bytes, 0);
  const { status, end, length, chunked, close } = answer;
  const body = bodyOf(bytes, end, length, chunked);
  const headers = scanned(bytes);
  const reason = bytes.toString('latin1', scan.reasonStart, scan.reasonEnd);
  const reading = { status, reason, version: `1.${scan.minor}`, headers, upgrade: false };
  if (answer.isInterim) {
    // It has no body, whatever it says, and undici skips it as that of an answer to HEAD.
    const none = { text: '', length: 0, ended: true, trailers: '' };
    return ['done', differenceOf('answer to HEAD', bytes, expected(bytes, end, reading, none))];
  }
  // undici reads the rest of the rules for these.
  const keepAlive = bodiless || status === 204 || status === 304 ? {} : { keepAlive: !close };
  const difference = differenceOf(kind, bytes, expected(bytes, end, { ...reading, ...keepAlive }, body));
  return [body === undefined ? 'done, but not its chunks' : 'done', difference];
}

/** Checks mutants, and how many of them are accepted: declining all would never be wrong. */
function fuzz(seeds: readonly string[], check: (bytes: Buffer, random: () => number) => Checked): void {
  const random = seededRandom(SEED);
  const plain: string[] = [];
  const odd: string[] = [];
  for (const seed of seeds) {
    const [outcome] = check(Buffer.from(seed, 'latin1'), random);
    (outcome === 'done' || outcome === 'aside' ? plain : odd).push(seed);
  }
  const counts: Partial<Record<Outcome, number>> = {};
  const differences: string[] = [];
  for (let i = 0; i < MUTANTS; i++) {
    const from = random() < OF_PLAIN ? plain : odd;
    const mutant = mutantOf(from[Math.floor(random() * from.length)] ?? '', random);
    const [outcome, difference] = check(Buffer.from(mutant, 'latin1'), random);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (difference === undefined || differences.length === MOST_SHOWN) continue;
    console.error(difference);
    differences.push(difference);
  }
  const accepted = (counts.done ?? 0) + (counts.aside ?? 0);
  console.info(
    `seed ${SEED}, ${MUTANTS} mutants:`,
    counts,
    `${((accepted / MUTANTS) * 100).toFixed(1)} % accepted`,
  );
  expect(differences).toEqual([]);
  expect(accepted / MUTANTS).toBeGreaterThanOrEqual(0.3);
}

describe('requests', () => {
  test('that are known are read as by llhttp', () => {
    for (const seed of requestSeeds) expect(checkRequest(Buffer.from(seed, 'latin1'))[1]).toBeUndefined();
  });

  test('that are mutated are read as by llhttp', { timeout: PATIENCE_MS }, () => {
    fuzz(requestSeeds, checkRequest);
  });
});

describe('answers', () => {
  test('that are known are read as by llhttp', () => {
    for (const seed of answerSeeds) {
      const bytes = Buffer.from(seed, 'latin1');
      expect(checkAnswer(bytes, 'answer')[1]).toBeUndefined();
      expect(checkAnswer(bytes, 'answer to HEAD')[1]).toBeUndefined();
    }
  });

  test('that are mutated are read as by llhttp', { timeout: PATIENCE_MS }, () => {
    fuzz(answerSeeds, (bytes, random) => checkAnswer(bytes, random() < 0.1 ? 'answer to HEAD' : 'answer'));
  });
});
