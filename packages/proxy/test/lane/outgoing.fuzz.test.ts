import { fuzzRuns, fuzzSeed, seededRandom } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import type { EdgeRequest } from '../../src/edge/edge-request.ts';
import { sendAnswerHead } from '../../src/headers/answer-head.ts';
import { instanceHeaders } from '../../src/headers/forwarded.ts';
import { AnswerHead } from '../../src/lane/bytes/answer-head.ts';
import { DONE } from '../../src/lane/bytes/head-scan.ts';
import { RequestHead } from '../../src/lane/bytes/request-head.ts';
import { readHead } from '../../src/request/head.ts';
import { overNode, overUndici } from './full-way.ts';
import { mutantOf } from './mutants.ts';
import { readByUndici } from './parsers.ts';
import { answerSeeds, requestSeeds } from './seeds.ts';

/*
 * What instances and clients get of the lane is byte for byte what they get of the full way, for known and mutated heads of
 * all kinds.
 */

const RUNS = fuzzRuns(2_000);
const SEED = fuzzSeed(20261126);
const PATIENCE_MS = 3_600_000;
const LIMITS = { maxTargetBytes: 100_000, maxHeaderCount: 200, maxBodyBytes: Number.POSITIVE_INFINITY };
/** Bodies are made, so they must not be long. */
const MAX_BODY_BYTES = 100_000;
/** The others are no host's, so they are refused before they are sent. */
const HOST = /^[\w.-]+(?::\d+)?$/;
/** `Via`, four of `X-Forwarded-*`, `Forwarded` and `X-Request-Id`, with their values. */
const OWN_PARTS = 14;

const request = new RequestHead(200);
const answer = new AnswerHead(1_000, () => 'now');

/** Those of the seeds and their mutants that are accepted. */
function* acceptable(seeds: readonly string[], accepts: (bytes: Buffer) => boolean): Generator<Buffer> {
  const random = seededRandom(SEED);
  const plain = seeds.map((seed) => Buffer.from(seed, 'latin1')).filter(accepts);
  yield* plain;
  for (let i = 0; i < RUNS; ) {
    const seed = plain[Math.floor(random() * plain.length)]?.toString('latin1') ?? '';
    const mutant = Buffer.from(mutantOf(seed, random), 'latin1');
    if (!accepts(mutant)) continue;
    i += 1;
    yield mutant;
  }
}

function lines(parts: readonly string[]): string {
  return parts.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
}

/** Names that the source asks for, and those that Node joins in its own way. */
const ASKED = [
  'cookie',
  'host',
  'user-agent',
  'accept',
  'x-a',
  'x-forwarded-for',
  'forwarded',
  'via',
  'referer',
  'none',
];

describe('the head for the instance', () => {
  const accepts = (bytes: Buffer) =>
    request.read(bytes, 0) === DONE && request.length <= MAX_BODY_BYTES && HOST.test(request.host);

  test('is as of undici for mutated requests', { timeout: PATIENCE_MS }, async () => {
    for (const bytes of acceptable(requestSeeds, accepts)) {
      const asked = Promise.withResolvers<EdgeRequest>();
      request.read(bytes, 0);
      const end = request.end + request.length;
      await overNode(
        Buffer.concat([bytes.subarray(0, end), Buffer.alloc(Math.max(0, end - bytes.length))]),
        (incoming, response) => {
          asked.resolve(incoming);
          response.end();
        },
      );
      const incoming = await asked.promise;
      request.read(bytes, 0);
      for (const name of ASKED)
        expect([bytes.toString('latin1'), name, request.header(name)]).toEqual([
          bytes.toString('latin1'),
          name,
          incoming.header(name),
        ]);
      const head = readHead(incoming, LIMITS);
      for (const trusted of [false, true]) {
        const headers = instanceHeaders(incoming, head, 'the-id', trusted);
        const own = lines(headers.slice(-OWN_PARTS, -2));
        const { method, path } = { method: incoming.method, path: head.path };
        const theirs = await overUndici({ method, path, headers }, request.length);
        expect(request.forInstance(own, 'the-id', trusted)).toBe(theirs);
      }
    }
  });
});

describe('the head for the client', () => {
  const isToHead = (bytes: Buffer) => bytes.length % 3 === 0;
  const accepts = (bytes: Buffer) => answer.read(bytes, 0, isToHead(bytes)) === DONE && !answer.isInterim;

  test('is as of node:http for mutated answers', { timeout: PATIENCE_MS }, async () => {
    let i = 0;
    for (const bytes of acceptable(answerSeeds, accepts)) {
      i += 1;
      const closes = i % 4 === 0;
      const keepAliveMs = i % 5 === 0 ? 0 : 75_000;
      const method = isToHead(bytes) ? 'HEAD' : 'GET';
      const connection = closes ? 'Connection: close\r\n' : '';
      const added = ['X-Request-Id', 'the-id', 'Set-Cookie', 'a=b'];
      const { status, reason, headers } = readByUndici(method === 'HEAD' ? 'answer to HEAD' : 'answer', [
        bytes,
      ]);
      const theirs = await overNode(
        Buffer.from(`${method} / HTTP/1.1\r\nHost: a\r\n${connection}\r\n`),
        (_, outgoing) => {
          sendAnswerHead(outgoing, status, reason, headers, added);
          if (method === 'HEAD' || status === 204 || status === 304) outgoing.end();
          else outgoing.flushHead();
        },
        keepAliveMs,
      );
      answer.read(bytes, 0, isToHead(bytes));
      const keepAlive = keepAliveMs === 0 ? '' : 'Keep-Alive: timeout=75\r\n';
      const ours = answer.forClient(lines(added), closes, keepAlive);
      expect(ours).toBe(
        answer.hasDate ? theirs : theirs.replace(/\r\nDate: [^\r]*GMT\r\nConn/, '\r\nDate: now\r\nConn'),
      );
    }
  });
});
