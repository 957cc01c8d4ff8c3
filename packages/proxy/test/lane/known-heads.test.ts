import { clientHeads } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { AnswerHead } from '../../src/lane/bytes/answer-head.ts';
import { ASIDE, DONE, MORE, OTHER, type Verdict } from '../../src/lane/bytes/head-scan.ts';
import { RequestHead } from '../../src/lane/bytes/request-head.ts';
import { answerSeeds, benchmarkHeads, requestSeeds, serverAnswers } from './seeds.ts';

/*
 * Which of the messages in use the lane takes. Declining is never wrong, so without this it could go unnoticed.
 */

const request = new RequestHead(200);
const answer = new AnswerHead(1_000, () => 'now');
const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** Clients whose heads are read so. */
function clients(verdict: Verdict): string[] {
  return clientHeads
    .filter(({ bytes }) => request.read(bytesOf(bytes), 0) === verdict)
    .map(({ client }) => client);
}

describe('of real clients', () => {
  test('those that send Expect or chunks are passed to the full way, each', () => {
    expect(clients(ASIDE)).toEqual([
      'curl -T -',
      'Python requests, stream',
      'Python httpx, stream',
      'Go net/http, stream',
      'Go net/http, Expect',
      'Node fetch, stream',
      'Node http, POST',
      'Java HttpURLConnection, stream',
      '.NET HttpClient, JSON',
      '.NET HttpClient, Expect',
    ]);
  });

  test('those that offer an upgrade, speak HTTP/1.0 or close are passed to it for good', () => {
    expect(clients(OTHER)).toEqual([
      'curl --http2',
      'curl --http2 -d',
      'curl -0',
      'Python aiohttp, WebSocket',
      'Python urllib',
      'libwww-perl',
      'libwww-perl, form',
      'PHP file_get_contents',
      'ApacheBench -k',
      'Java HttpClient',
      'Java HttpClient, POST',
      'Java HttpClient, stream',
      'Chromium, WebSocket',
      'Firefox, WebSocket',
      'Apache HttpClient 5',
      'Apache HttpClient 5, POST',
      'Safari, WebSocket',
    ]);
  });

  test('all others are taken', () => {
    expect(clients(DONE)).toHaveLength(34);
    expect(clients(MORE)).toEqual([]);
  });
});

test.each(benchmarkHeads)('the head of the benchmark is taken: %j', (head) => {
  expect(request.read(bytesOf(head), 0)).toBe(DONE);
});

test.each(serverAnswers)('an answer as of servers in use is taken: %j', (head) => {
  expect(answer.read(bytesOf(head), 0, false)).toBe(DONE);
});

test('it does not matter in what pieces a head is received', () => {
  const heads = { request: requestSeeds, answer: answerSeeds };
  const read = (kind: string, bytes: Buffer) =>
    kind === 'request' ? request.read(bytes, 0) : answer.read(bytes, 0, false);
  for (const [kind, seeds] of Object.entries(heads)) {
    for (const seed of seeds) {
      const bytes = bytesOf(seed);
      const whole = read(kind, bytes);
      const { end } = kind === 'request' ? request : answer;
      let verdict: Verdict = MORE;
      for (let length = 0; length <= bytes.length; length++) {
        const before = verdict;
        verdict = read(kind, bytes.subarray(0, length));
        // What has been declined stays so, and what is accepted is incomplete up to its end.
        if (before === OTHER) expect([seed, length, verdict]).toEqual([seed, length, OTHER]);
        if (whole === DONE || whole === ASIDE)
          expect([seed, length, verdict]).toEqual([seed, length, length < end ? MORE : whole]);
      }
      expect(verdict).toBe(whole);
    }
  }
});
