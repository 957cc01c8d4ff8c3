import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RawUpstream, sendRaw } from '../hostile/raw.ts';
import type { EdgeUnderTest, StartEdge } from './edge-under-test.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n';

/** Tests of how valid, odd and broken answers of an instance are passed on. Every forwarder must pass them. */
export function describeAnswers({ name, start }: { name: string; start: StartEdge }): void {
  describe(`answers, over ${name}`, () => {
    let upstream: RawUpstream;
    let edge: EdgeUnderTest;

    beforeAll(async () => {
      upstream = await RawUpstream.listen();
      edge = await start({ raw: upstream.endpoint }, { responseTimeoutMs: 1_500 });
    });

    afterEach(async () => {
      upstream.forget();
      // A worker notices the end of its connections a moment later.
      if (process.env.TEST_WORKERS !== undefined) await sleep(20);
    });

    afterAll(async () => {
      await edge.close();
      upstream.close();
    });

    /** What the client of this request receives for such an answer, after which the instance behaves so. */
    async function relayed(
      answer: string,
      {
        request = GET,
        ending = 'nothing',
        enough = (text: string) => text.endsWith('\r\n\r\nok'),
      }: {
        request?: string;
        ending?: 'nothing' | 'end' | 'reset';
        enough?: (text: string) => boolean;
      } = {},
    ) {
      upstream.script = (connection) => {
        if (!connection.hasRequest) return;
        connection.answer(answer);
        if (ending === 'end') connection.socket.end();
        if (ending === 'reset') setTimeout(() => connection.socket.resetAndDestroy(), 20);
      };
      return await sendRaw(edge.port, request, { enough, timeoutMs: 4_000 });
    }

    const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
    const isProblem = (text: string) => text.endsWith('}\n');

    describe('before the answer', () => {
      test.each([
        'Link: </style.css>; rel=preload; as=style',
        'Link: </a>; rel=preload, </b>; rel=preload', // RFC 8297 §2
        'Link: </a>; rel=preload\r\nLink: </b>; rel=preload',
        'Link: </i>; rel=preload; as=image; imagesrcset="a.avif 1x, b.avif 2x"',
        'Link: </t>; rel=next; title="two words; and more"',
        'link: <https://cdn.test>;rel=preconnect',
        'Link: garbage',
        'Link: ',
        '__proto__: 1\r\nLink: </a>; rel=preload',
        'constructor: 1\r\nLink: </a>; rel=preload\r\nX-Latin: caf\xe9',
      ])('the hints %j are passed on as they are', async (hints) => {
        const { text } = await relayed(`HTTP/1.1 103 Early Hints\r\n${hints}\r\n\r\n${OK}`);
        const [first, second] = text.split('\r\n\r\n');
        expect(first).toBe(`HTTP/1.1 103 Early Hints\r\n${hints}`);
        expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      });

      test('several hints are passed on, without what is for one connection', async () => {
        const { text } = await relayed(
          `HTTP/1.1 103 A\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\nLink: </a>\r\n\r\nHTTP/1.1 103 B\r\nLink: </b>\r\n\r\n${OK}`,
        );
        expect(text).toMatch(
          /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nLink: <\/b>\r\n\r\nHTTP\/1\.1 200 OK/,
        );
      });

      test('hints for nobody: of an HTTP/1.0 client, and without a link', async () => {
        const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
        const old = await relayed(hints + OK, { request: 'GET / HTTP/1.0\r\nHost: raw.test\r\n\r\n' });
        expect(old.text).toMatch(/^HTTP\/1\.1 200 OK/);
        const { text } = await relayed(`HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n${OK}`);
        expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
      });

      test.each([
        'HTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.1 100\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 102 Processing\r\n\r\n',
        'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.1 199 Odd\r\n\r\n',
        'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100),
      ])('%j, which nobody asked for, says nothing', async (interim) => {
        for (const request of [
          GET,
          'POST / HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 4\r\n\r\nbody',
          'HEAD / HTTP/1.1\r\nHost: raw.test\r\n\r\n',
        ]) {
          const head = request.startsWith('HEAD') ? OK.slice(0, -2) : OK;
          const { text } = await relayed(interim + head, {
            request,
            enough: (so) => so.includes('\r\n\r\n'),
          });
          expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n/);
        }
        expect(upstream.connections.length).toBeLessThanOrEqual(3);
      });

      test('an unasked 100 may come in pieces', { timeout: 20_000 }, async () => {
        const answer = `HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n${OK}`;
        for (const at of [1, 9, 10, 11, 12, 13, 21, 22, 23, 31, 32, 33, 34, 35, 43]) {
          upstream.script = (connection) => {
            if (!connection.hasRequest) return;
            connection.answer(answer.slice(0, at));
            setTimeout(() => connection.socket.write(answer.slice(at)), 15);
          };
          const { text } = await sendRaw(edge.port, GET, { enough: (so) => so.endsWith('ok') });
          expect([at, statusOf(text)]).toEqual([at, 200]);
        }
        // The connections were reused.
        expect(upstream.connections.length).toBeLessThanOrEqual(Number(process.env.TEST_WORKERS ?? 1));
      });

      test.each(['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n'])(
        '%j again and again does not put off the time for the answer',
        { timeout: 10_000 },
        async (interim) => {
          upstream.script = ({ socket }) => {
            const timer = setInterval(() => socket.write(interim), 100);
            socket.once('close', () => clearInterval(timer));
          };
          const { text } = await sendRaw(edge.port, GET, { enough: isProblem, timeoutMs: 6_000 });
          expect(text.slice(text.lastIndexOf('HTTP/1.1'))).toMatch(/^HTTP\/1\.1 504 /);
          await expect.poll(() => upstream.connections.every(({ socket }) => socket.destroyed)).toBe(true);
        },
      );

      test('a 101 that nobody asked for is a 502, also without an upgrade', async () => {
        const { text } = await relayed('HTTP/1.1 101 Switching Protocols\r\n\r\n', { enough: isProblem });
        expect(statusOf(text)).toBe(502);
      });
    });

    describe('whole ones', () => {
      test.each([
        ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
        ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
        ['GET', 'HTTP/1.1 204 No Content\r\n\r\nbody'],
        ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody'],
        ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nbody'],
        ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokgarbage'],
        ['GET', `${OK}${OK}`],
        ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\ngarbage'],
      ])('%s: %j is passed on, without what is too much', async (method, answer) => {
        const request = `${method} / HTTP/1.1\r\nHost: raw.test\r\n\r\n`;
        for (let i = 0; i < 2; i++) {
          const { text } = await relayed(answer, {
            request,
            enough: (so) => /\r\n\r\n$|\r\n\r\nok$/.test(so) && !/chunked\r\n(?!.*0\r\n\r\n$)/s.test(so),
          });
          expect(statusOf(text)).toBe(Number(answer.slice(9, 12)));
          expect(text).not.toMatch(/body|garbage/);
        }
      });

      test('a 204 has no Content-Length', async () => {
        const { text } = await relayed('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n', {
          enough: (so) => so.includes('\r\n\r\n'),
        });
        expect(text).toMatch(/^HTTP\/1\.1 204 No Content\r\nX-A: 1\r\n/);
        expect(text).not.toMatch(/content-length/i);
      });

      test('there is one X-Request-Id, the one that the instance was asked with', async () => {
        const { text } = await relayed(
          'HTTP/1.1 200 OK\r\nX-Request-ID: other\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok',
          { request: 'GET / HTTP/1.1\r\nHost: raw.test\r\nX-Request-Id: mine\r\n\r\n' },
        );
        expect(text.match(/^x-request-id: .*$/gim)).toEqual(['X-Request-Id: mine']);
        expect(upstream.received).toMatch(/\r\nx-request-id: mine\r\n/i);
      });

      test('so has an upgrade, and no length', async () => {
        const { text } = await relayed(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\nConnection: Upgrade\r\nX-Request-Id: other\r\nContent-Length: 0\r\n\r\nhello',
          {
            request:
              'GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: own\r\nX-Request-Id: mine\r\n\r\n',
            enough: (so) => so.endsWith('hello'),
          },
        );
        expect(statusOf(text)).toBe(101);
        expect(text.match(/^x-request-id: .*$/gim)).toEqual(['X-Request-Id: mine']);
        expect(text).not.toMatch(/content-length/i);
      });

      test('Trailer is passed on where trailers are', async () => {
        const chunked =
          'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n';
        const { text } = await relayed(chunked, { enough: (so) => so.includes('X-Sum: 42\r\n\r\n') });
        expect(text).toMatch(/\r\nTrailer: X-Sum\r\n/);
        const old = await relayed(chunked, { request: 'GET / HTTP/1.0\r\nHost: raw.test\r\n\r\n' });
        expect(old.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(old.text).not.toMatch(/trailer|x-sum/i);
        for (const [method, answer] of [
          ['GET', 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok'],
          ['HEAD', 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n'],
        ] as const) {
          const { text } = await relayed(answer, {
            request: `${method} / HTTP/1.1\r\nHost: raw.test\r\n\r\n`,
            enough: (so) => so.includes('\r\n\r\n'),
          });
          expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
          expect(text).not.toMatch(/trailer/i);
        }
      });
    });

    describe('broken ones', () => {
      test.each([
        'gzip, chunked',
        'chunked, gzip',
        'gzip',
        'deflate',
        'xchunked',
        'chunked, identity',
        'identity',
        'chunked\r\nTransfer-Encoding: chunked',
      ])('the transfer coding %j, which we do not know, is a 502', async (coding) => {
        const { text } = await relayed(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
          { ending: 'end', enough: isProblem },
        );
        expect(statusOf(text)).toBe(502);
      });

      test.each(['010', '00', '+2', '0x2', '2, 2', '2;', '', '9999999999999999', '2\r\nContent-Length: 2'])(
        'the length %j is a 502',
        async (length) => {
          const { text } = await relayed(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\nok`, {
            ending: 'end',
            enough: isProblem,
          });
          expect(statusOf(text)).toBe(502);
        },
      );

      test.each(['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', 'HTTP/1.0 200 OK\r\n\r\n'])(
        '%j with a body that ends by a reset is not whole, by an end it is',
        async (head) => {
          for (const [version, ending] of [
            ['1.1', 'reset'],
            ['1.0', 'reset'],
            ['1.1', 'end'],
            ['1.0', 'end'],
          ] as const) {
            const { text, closed, reset } = await relayed(`${head}0123456789`, {
              request: `GET / HTTP/${version}\r\nHost: raw.test\r\nConnection: close\r\n\r\n`,
              ending,
              enough: () => false,
            });
            expect([version, ending, statusOf(text), closed]).toEqual([version, ending, 200, true]);
            if (version === '1.1') expect(text.endsWith('\r\n0\r\n\r\n')).toBe(ending === 'end');
            else expect([text.endsWith('0123456789'), reset]).toEqual([true, ending === 'reset']);
          }
        },
      );
    });
  });
}
