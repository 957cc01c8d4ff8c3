import {
  clientHeads,
  cutAnswers,
  fuzzRuns,
  fuzzSeed,
  hostileAnswers,
  inParallel,
  mutate,
  seededRandom,
  smugglingCorpus,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  BATCH,
  BothWays,
  type Case,
  type Difference,
  LAST,
  nameOf,
  TRIES_MS,
} from '../../test/edge/both-ways.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientRoute } from './client-route.ts';

/*
 * The same bytes of clients and instances through two edges, one with the lane and one without: what arrives at the other
 * side must be the same, but for what is different each time (request ids, dates) and where chunks begin. Each case has a
 * service of its own, whose instance is known to be ready: one that has just failed to answer is not, and its requests take
 * the full way.
 */

const SEED = fuzzSeed(20261125);
const RUNS = fuzzRuns(200);
const WIDTH = 24;

/** What the lane did with the requests of a service. */
interface Taken {
  /** How many requests it has sent to an instance. */
  begun: number;
  /** How many of these went on on the full way. */
  failed: number;
}

/** By service. */
const taken = new Map<string, Taken>();
const { lease } = ClientRoute.prototype;
const { goOn } = ClientConnection.prototype;

beforeAll(() => {
  vi.spyOn(ClientRoute.prototype, 'lease').mockImplementation(function (this: ClientRoute, head) {
    const leased = lease.call(this, head);
    const counts = leased && taken.get(leased.service);
    if (counts !== undefined) counts.begun += 1;
    return leased;
  });
  vi.spyOn(ClientConnection.prototype, 'goOn').mockImplementation(function (
    this: ClientConnection,
    ...begun
  ) {
    const counts = taken.get(begun[0].choice.revision.service);
    if (counts !== undefined) counts.failed += 1;
    goOn.apply(this, begun);
  });
});

afterAll(() => {
  vi.restoreAllMocks();
});

/**
 * Runs the cases both ways, and expects no difference.
 *
 * @returns of how many the lane has sent a request, and for how many it did all that it began
 */
async function compareAll(cases: readonly Case[]): Promise<{ begun: number; done: number }> {
  const findings: unknown[] = [];
  let found = 0;
  const counts = { begun: 0, done: 0 };
  for (let from = 0; from < cases.length; from += BATCH) {
    const ways = new BothWays();
    await ways.start();
    await inParallel(cases.slice(from, from + BATCH), WIDTH, async (one, i) => {
      const lane = { begun: 0, failed: 0 };
      let difference: Difference | undefined;
      for (const [tried, quietMs] of TRIES_MS.entries()) {
        const service = nameOf(tried * BATCH + i);
        await ways.warm(service);
        if (tried === 0) taken.set(service, lane);
        difference = await ways.compare(one, service, quietMs);
        if (difference === undefined) break;
      }
      if (lane.begun > 0) counts.begun += 1;
      if (lane.begun > 0 && lane.failed === 0) counts.done += 1;
      if (difference === undefined) return;
      found += 1;
      if (findings.length < 5) findings.push({ ...one, begun: lane.begun, ...difference });
    });
    await ways.stop();
  }
  expect({ found, findings }).toEqual({ found: 0, findings: [] });
  return counts;
}

/** The bytes whole, and cut at each place. */
const cuts = (bytes: string) => Array.from({ length: bytes.length }, (_, cutAt) => ({ bytes, cutAt }));

const GET = 'GET /a HTTP/1.1\r\nHost: raw.test\r\n\r\n';
const POST = 'POST /b HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 5\r\n\r\nhello';

const random = seededRandom(SEED);
const below = (limit: number) => Math.floor(random() * limit);
const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;

/** A request that is valid, with whatever is allowed in it. */
function someRequest(): string {
  const method = one(['GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS']);
  const target = one([
    '/',
    '/a?b=c&d',
    '/%20;x=y/~',
    '//a//b',
    "/!$&'()*+,:@",
    '/a?http://b/',
    '/"<>[\\]^`{|}',
    `/${'x'.repeat(below(300))}`,
  ]);
  const host = one(['raw.test', 'raw.test', 'raw.TEST', 'raw.test:80', 'raw.test:8080']);
  const space = () => one([' ', ' ', ' ', '', '\t', '  ', ' \t ']);
  const fields = Array.from({ length: below(8) }, () => one(FIELDS)());
  const body = random() < 0.5 ? '' : 'x'.repeat(one([0, 1, 5, 20, 400]));
  if (body !== '' || random() < 0.2)
    fields.splice(
      below(fields.length + 1),
      0,
      `${one(['Content-Length', 'content-length', 'CONTENT-length'])}:${space()}${body.length}`,
    );
  fields.splice(below(fields.length + 1), 0, `${one(['Host', 'host', 'HOST'])}:${space()}${host}`);
  return `${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
}

const FIELDS: readonly (() => string)[] = [
  () => `X-${below(100)}: ${'y'.repeat(below(50))}`,
  () => `x-lower:${one(['', ' ', '\t', '  '])}a`,
  () => 'X-Empty:',
  () => 'X-Empty: ',
  () => 'X-Bytes: \xe9\xff\x80 \t "a, b"; c=\\',
  () => "!#$%&'*+-.^`|~: token",
  () => one(['X_Under: 1', 'X_Forwarded_For: 1', 'Content_Length: 5', 'Transfer_Encoding: chunked']),
  () => `Cookie: a=${below(9)}; b="c"`,
  () =>
    one([
      'Connection: keep-alive',
      'connection: Keep-Alive',
      'Connection: keep-alive, X-0',
      'Connection: close',
      'Connection:',
      'Proxy-Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Connection: upgrade',
    ]),
  () => `X-Request-Id: ${one(['my-id', 'a b', '', 'x'.repeat(129), '1:2/3+4='])}`,
  () => `Via: ${one(['1.1 one', '1.0 a, 1.1 b', '1.1 cless', ''])}`,
  () =>
    one([
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: b.test',
      'X-Forwarded-Port: 1',
      'X-Forwarded-Prefix: /p',
      'X-Real-IP: 1.2.3.4',
      'X-Original-URL: /b',
      'X-Rewrite-URL: /c',
      'Forwarded: for=1.2.3.4',
    ]),
  () => `Max-Forwards: ${one(['0', '3', '-1', 'x'])}`,
  () =>
    one([
      'TE: trailers',
      'TE: gzip',
      'Trailer: X-A',
      'Expect: 100-continue',
      'Expect: more',
      'Upgrade: h2c',
      'HTTP2-Settings: AAA',
    ]),
  () =>
    one([
      'Accept-Encoding: gzip',
      'Accept: */*',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64)',
      'Referer: http://a/',
      'Authorization: Basic YTpi',
      'If-None-Match: "a", W/"b"',
      'Range: bytes=0-1',
      'Origin: null',
    ]),
];

describe('requests', () => {
  test('of real clients', async () => {
    const { done } = await compareAll(
      clientHeads.map(({ client, version, bytes }) => ({
        name: `${client} ${version}`,
        bytes: bytes + LAST,
      })),
    );
    expect(done).toBeGreaterThan(clientHeads.length / 2);
  });

  test('that may mean two things', { timeout: 120_000 }, async () => {
    await compareAll(smugglingCorpus.map(({ name, bytes }) => ({ name, bytes: bytes + LAST })));
  });

  test.each([GET, POST, GET + POST])('cut everywhere: %j', { timeout: 120_000 }, async (bytes) => {
    const cases = cuts(bytes + LAST).map((cut) => ({ name: `cut at ${cut.cutAt}`, ...cut }));
    const { done } = await compareAll(cases);
    expect(done).toBe(cases.length);
  });

  test('cut off everywhere', { timeout: 120_000 }, async () => {
    const bytes = POST + GET;
    // undici sends the head with the first bytes of the body, the lane before.
    const places = Array.from(bytes, (_, at) => at + 1).filter(
      (at) => !bytes.slice(0, at).endsWith('5\r\n\r\n'),
    );
    await compareAll(places.map((at) => ({ name: `after ${at}`, bytes: bytes.slice(0, at) })));
    // Behind a request that is not answered yet it is the end of that one, too.
    await compareAll(
      places
        .filter((at) => at < POST.length)
        .map((at) => ({ name: `ended after ${at}`, bytes: bytes.slice(0, at), ends: true })),
    );
  });

  test('random requests, several on a connection', { timeout: 3_600_000 }, async () => {
    const cases = Array.from({ length: RUNS }, (_, i) => {
      const bytes = Array.from({ length: 1 + below(3) }, someRequest).join('') + LAST;
      return { name: `seed ${SEED}, ${i}`, bytes, cutAt: random() < 0.5 ? 0 : below(bytes.length) };
    });
    const { begun, done } = await compareAll(cases);
    expect(begun / cases.length).toBeGreaterThan(0.3);
    expect(done).toBe(begun);
  });

  test('mutated requests', { timeout: 3_600_000 }, async () => {
    const cases = Array.from({ length: RUNS }, (_, i) => {
      const [before, behind] = [0.5, 0.2].map((share) => (random() < share ? someRequest() : ''));
      const bytes = before + mutate(someRequest(), random) + behind + LAST;
      return { name: `seed ${SEED}, ${i}`, bytes };
    });
    const { begun } = await compareAll(cases);
    expect(begun / cases.length).toBeGreaterThan(0.25);
  });
});

/** An answer that is valid, with whatever is allowed in it. */
function someAnswer(): string {
  const status = one([
    '200 OK',
    '200 OK',
    '200 ',
    '201 Created',
    '204 No Content',
    '304 Not Modified',
    '404 Nix da',
    '599 \xe9',
    '205 x',
    '700 y',
  ]);
  const data = 'z'.repeat(one([0, 1, 2, 5, 300]));
  const fields = Array.from({ length: below(6) }, () => one(ANSWER_FIELDS)());
  const way = one(['length', 'length', 'chunks', 'chunks', 'close']);
  const framing =
    way === 'length'
      ? `Content-Length: ${data.length}`
      : way === 'chunks'
        ? one(['Transfer-Encoding: chunked', 'transfer-encoding: Chunked'])
        : 'X-None: 1';
  fields.splice(below(fields.length + 1), 0, framing);
  const hints =
    random() < 0.1
      ? one([
          'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
          'HTTP/1.1 100 Continue\r\n\r\n',
          'HTTP/1.1 102 Processing\r\nX-A: 1\r\n\r\n',
        ])
      : '';
  const body = way === 'chunks' ? inChunks(data) : data;
  const version = random() < 0.1 ? 'HTTP/1.0' : 'HTTP/1.1';
  return `${hints}${version} ${status}\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
}

function inChunks(data: string): string {
  const extension = () => (random() < 0.1 ? one([';a', ';a=b', ';a="b;c"', '; a=b']) : '');
  const size = (length: number) =>
    one(['', '0', '00']) + (random() < 0.5 ? length.toString(16) : length.toString(16).toUpperCase());
  const at = below(data.length + 1);
  const chunks = [data.slice(0, at), data.slice(at)].filter((part) => part !== '');
  const trailers =
    random() < 0.15
      ? one([
          'X-Sum: 1\r\n',
          'X-Sum:\t 1 \r\nX-B:\r\n',
          'Content-Length: 5\r\n',
          'Set-Cookie: a=b\r\n',
          'X-C: \xe9\r\n',
        ])
      : '';
  return `${chunks.map((part) => `${size(part.length)}${extension()}\r\n${part}\r\n`).join('')}0${extension()}\r\n${trailers}\r\n`;
}

const ANSWER_FIELDS: readonly (() => string)[] = [
  () => `X-${below(100)}: ${'y'.repeat(below(50))}`,
  () => `x-lower:${one(['', '\t', '  '])}a`,
  () => 'X-Bytes: \xe9\xff "a, b"; c=\\',
  () => 'X_Under: 1',
  () =>
    one([
      'Connection: keep-alive',
      'Connection: close',
      'connection: Close',
      'Connection: X-0',
      'Proxy-Connection: close',
      'Keep-Alive: timeout=1',
      'Keep-Alive: timeout=60, max=9',
    ]),
  () => one(['Date: Tue, 15 Nov 1994 08:12:31 GMT', 'date: never']),
  () => one(['Set-Cookie: a=b; Path=/', 'set-cookie: c=d']),
  () => one(['X-Request-Id: theirs', 'Via: 1.1 app', 'Server: app', 'Server-Timing: a;dur=1']),
  () =>
    one([
      'Trailer: X-Sum',
      'Upgrade: h2c',
      'TE: x',
      'Proxy-Authenticate: x',
      'Content-Disposition: attachment; filename="\xe9"',
      'Content-Disposition: inline',
    ]),
  () =>
    one([
      'Content-Type: text/html; charset=utf-8',
      'Content-Type: text/event-stream',
      'ETag: "a"',
      'Cache-Control: no-store',
      'Location: /b',
    ]),
];

const HEAD = GET.replace('GET', 'HEAD');
/** Asks for an answer, and then whether the connections can still be used. */
const ask = (bytes: string) => ({ bytes: bytes + LAST, cutAt: bytes.length });

describe('answers', () => {
  const CHUNKED =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nX-Sum: 1\r\n\r\n';
  const MEASURED =
    'HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Made\r\nX-A:1\r\nContent-Length: 10\r\n\r\n0123456789';
  const UNMEASURED = 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n0123456789';

  test.each([CHUNKED, MEASURED, UNMEASURED])('cut everywhere: %j', { timeout: 120_000 }, async (answer) => {
    const cases = cuts(answer).map(({ bytes, cutAt }) => ({
      name: `cut at ${cutAt}`,
      ...ask(GET),
      answer: bytes,
      answerCutAt: cutAt,
      ending: 'end' as const,
    }));
    const { done } = await compareAll(cases);
    expect(done).toBe(cases.length);
  });

  test('that end or break off everywhere', { timeout: 120_000 }, async () => {
    await compareAll(
      cutAnswers.map(({ bytes, ending }) => ({
        name: JSON.stringify(bytes),
        ...ask(GET),
        answer: bytes,
        ending,
      })),
    );
  });

  test('that mean harm', { timeout: 120_000 }, async () => {
    await compareAll(
      hostileAnswers
        .filter(({ length }) => length < 20_000)
        .map((answer, i) => ({
          name: JSON.stringify(answer.slice(0, 60)),
          ...ask(GET),
          answer,
          ending: i % 2 === 0 ? ('end' as const) : ('reset' as const),
        })),
    );
  });

  test('random answers', { timeout: 3_600_000 }, async () => {
    const cases = Array.from({ length: RUNS }, (_, i) => {
      const answer = someAnswer();
      return {
        name: `seed ${SEED}, ${i}`,
        ...ask(one([GET, GET, GET, HEAD, POST])),
        answer,
        answerCutAt: random() < 0.5 ? 0 : below(answer.length),
        ending: 'end' as const,
      };
    });
    const { begun, done } = await compareAll(cases);
    expect(begun).toBe(cases.length);
    expect(done / cases.length).toBeGreaterThan(0.5);
  });

  test('mutated answers', { timeout: 3_600_000 }, async () => {
    const cases = Array.from({ length: RUNS }, (_, i) => ({
      name: `seed ${SEED}, ${i}`,
      ...ask(one([GET, GET, GET, HEAD, POST])),
      answer: mutate(someAnswer(), random),
      ending: random() < 0.7 ? ('end' as const) : ('reset' as const),
    }));
    const { begun, done } = await compareAll(cases);
    expect(begun).toBe(cases.length);
    expect(done / cases.length).toBeGreaterThan(0.2);
  });
});
