import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, request as sendRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RawUpstream, sendRaw } from '../hostile/raw.ts';
import type { EdgeUnderTest, StartEdge } from './edge-under-test.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const MIB = 1024 * 1024;

/** A forwarder and the edge to test it in. */
export interface ForwarderSubject {
  readonly name: string;
  readonly start: StartEdge;
  /** Forwarders may differ here, since their libraries do. */
  readonly keepsHeaderCase: boolean;
}

/** The contract of a forwarder, as tests against upstreams that work on bytes. Every forwarder must pass them. */
export function describeForwarder({ name, start, keepsHeaderCase }: ForwarderSubject): void {
  describe(`the contract of a forwarder: ${name}`, () => {
    let upstream: RawUpstream;
    let server: Server;
    let edge: EdgeUnderTest;
    let trusting: EdgeUnderTest;
    /** An edge with timeouts of half a second. */
    let impatient: EdgeUnderTest;

    const get = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: raw.test\r\n${headers}\r\n`;
    const ask = (bytes: string | Buffer, enough = whole, timeoutMs?: number) =>
      sendRaw(edge.port, bytes, { enough, ...(timeoutMs !== undefined && { timeoutMs }) });
    const status = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
    /** Checks that the proxy is alive and the last exchange does not affect the next. */
    const expectAlive = async () => {
      upstream.forget();
      upstream.always(OK);
      expect(status((await ask(get('/alive'))).text)).toBe(200);
    };

    beforeAll(async () => {
      upstream = await RawUpstream.listen();
      server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const endpoints = {
        raw: upstream.endpoint,
        node: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
        nobody: { host: '127.0.0.1', port: 1 },
      };
      edge = await start(endpoints, {
        responseTimeoutMs: 1_500,
        maxBodyBytes: 100 * MIB,
      });
      trusting = await start(endpoints, {
        responseTimeoutMs: 1_500,
        trustedProxies: ['127.0.0.0/8'],
      });
      impatient = await start(endpoints, {
        responseTimeoutMs: 5_000,
        bodyTimeoutMs: 500,
        idleTimeoutMs: 600,
        keepAliveTimeoutMs: 2_500,
      });
    });

    afterEach(async () => {
      upstream.forget();
      server.removeAllListeners('request');
      server.closeAllConnections();
      // A worker notices the end of its connections a moment later.
      if (process.env.TEST_WORKERS !== undefined) await sleep(20);
    });

    afterAll(async () => {
      await Promise.all([edge.close(), trusting.close(), impatient.close()]);
      upstream.close();
      server.close();
    });

    describe('requests', () => {
      test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE'])(
        '%s',
        async (method) => {
          upstream.always(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : OK);
          const { text } = await ask(`${method} /path?q=1 HTTP/1.1\r\nHost: raw.test\r\n\r\n`, (so) =>
            so.includes(method === 'HEAD' ? '\r\n\r\n' : 'ok'),
          );
          expect(status(text)).toBe(200);
          expect(upstream.received).toMatch(new RegExp(`^${method} /path\\?q=1 HTTP/1.1\\r\\n`));
          expect(upstream.received).toContain('raw.test\r\n');
        },
      );

      test.each(['DELETE', 'OPTIONS', 'GET', 'POST'])(
        '%s with a chunked body stays one request',
        async (method) => {
          const smuggled = 'GET /admin HTTP/1.1\r\nHost: raw.test\r\n\r\n';
          let requests = 0;
          server.on('request', async (request, response) => {
            requests += 1;
            let body = '';
            for await (const chunk of request) body += chunk;
            response.end(`${request.method} ${request.url} ${body}`);
          });
          const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
          const { text } = await ask(
            `${method} /x HTTP/1.1\r\nHost: node.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
            (so) => so.includes('/admin'),
          );
          expect(text).toContain(`${method} /x ${smuggled}`);
          await ask('GET /next HTTP/1.1\r\nHost: node.test\r\n\r\n', (so) => so.includes('/next'));
          expect(requests).toBe(2);
        },
      );

      test.each([
        '/a/../b',
        '//double//slash',
        '/%2e%2e/%2F',
        '/a%00b',
        '/?a=b&c=%20',
        '/a?b?c',
        `/${'x'.repeat(4000)}`,
        '/\u00fc'.replace('\u00fc', '%C3%BC'),
        '/a?',
        '/?',
      ])('the path %s is passed byte for byte', async (path) => {
        upstream.always(OK);
        expect(status((await ask(get(path))).text)).toBe(200);
        expect(upstream.received.split(' ')[1]).toBe(path);
      });

      test('an absolute target becomes origin form, and its authority the Host', async () => {
        upstream.always(OK);
        await ask('GET http://raw.test/a?b HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n');
        expect(upstream.received).toMatch(/^GET \/a\?b HTTP\/1.1\r\n/);
        expect(upstream.received.match(/^host: .*$/gim)).toEqual([
          expect.stringMatching(/^host: raw\.test$/i),
        ]);
        expect(
          status((await ask('GET http://a:99999/ HTTP/1.1\r\nHost: raw.test\r\n\r\n')).text),
        ).toBeGreaterThanOrEqual(400);
        await expectAlive();
      });

      test('OPTIONS * is answered by the proxy', async () => {
        upstream.always(OK);
        expect(
          status(
            (await ask('OPTIONS * HTTP/1.1\r\nHost: raw.test\r\n\r\n', (so) => so.includes('\r\n\r\n'))).text,
          ),
        ).toBe(204);
        expect(status((await ask('GET * HTTP/1.1\r\nHost: raw.test\r\n\r\n')).text)).toBe(400);
        expect(upstream.received).toBe('');
      });

      test('TRACE is refused, and OPTIONS goes as many hops as it may', async () => {
        upstream.always(OK);
        const trace = await ask('TRACE / HTTP/1.1\r\nHost: raw.test\r\n\r\n');
        expect([status(trace.text), trace.text.includes('method-not-allowed')]).toEqual([405, true]);
        expect(trace.text).toMatch(/\r\nAllow: GET, HEAD, /);
        const options = (hops: number) =>
          ask(`OPTIONS /x HTTP/1.1\r\nHost: raw.test\r\nMax-Forwards: ${hops}\r\n\r\n`, (so) =>
            so.includes('\r\n\r\n'),
          );
        expect(status((await options(0)).text)).toBe(204);
        expect(upstream.received).toBe('');
        expect(status((await options(2)).text)).toBe(200);
        expect(upstream.received).toMatch(/\r\nmax-forwards: 1\r\n/i);
      });

      test('a service that asks for itself is told so, after a few rounds', async () => {
        server.on('request', (request, response) => {
          const again = sendRequest(
            { port: edge.port, path: request.url, headers: request.headers, agent: false },
            (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0, { 'Content-Length': 1_000 })),
          );
          again.end();
          rounds += 1;
        });
        let rounds = 0;
        const { text } = await ask('GET /circle HTTP/1.1\r\nHost: node.test\r\n\r\n', (so) =>
          so.includes('loop-detected'),
        );
        expect([status(text), rounds]).toEqual([508, 5]);
      });

      test('headers keep their order, repetition and Latin-1 bytes', async () => {
        upstream.always(OK);
        await ask(get('/', 'X-One: 1\r\nx-TWO: a\r\nX-Three: caf\xe9\r\nx-TWO: b\r\nCookie: a=1\r\n'));
        const pattern = keepsHeaderCase
          ? /X-One: 1\r\nx-TWO: a\r\nX-Three: caf\xe9\r\nx-TWO: b\r\nCookie: a=1\r\n/
          : /X-One: 1\r\nx-TWO: a\r\nx-TWO: b\r\nX-Three: caf\xe9\r\nCookie: a=1\r\n/;
        expect(upstream.received).toMatch(pattern);
      });

      test('headers that are called like what objects have', async () => {
        upstream.always(OK);
        const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'prototype', 'valueOf'];
        await ask(get('/', names.map((name) => `${name}: of the client\r\n`).join('')));
        for (const name of names)
          expect(upstream.received.match(new RegExp(`^${name}: .*$`, 'gm'))).toEqual([
            `${name}: of the client`,
          ]);
      });

      test('hop-by-hop headers, and what Connection names, are dropped; Host and framing never', async () => {
        server.on('request', async (request, response) => {
          let body = '';
          for await (const chunk of request) body += chunk;
          response.end(JSON.stringify({ headers: request.rawHeaders, body }));
        });
        const { text } = await ask(
          'POST / HTTP/1.1\r\nHost: node.test\r\nConnection: keep-alive, X-Mine, Host, Content-Length\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: gzip\r\nX-Stays: 1\r\nContent-Length: 4\r\n\r\nbody',
          (so) => so.includes('"body":"body"'),
        );
        const { headers } = JSON.parse(/\{.*\}/.exec(text)?.[0] ?? '{}');
        const names = headers
          .filter((_: string, i: number) => i % 2 === 0)
          .map((one: string) => one.toLowerCase());
        for (const dropped of ['x-mine', 'keep-alive', 'proxy-connection', 'te'])
          expect(names).not.toContain(dropped);
        for (const kept of ['host', 'content-length', 'x-stays']) expect(names).toContain(kept);
      });

      test('X-Forwarded-* and Forwarded of strangers are replaced, those of trusted proxies extended', async () => {
        upstream.always(OK);
        const lies =
          'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nForwarded: for=1.2.3.4\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real-IP: 7.7.7.7\r\n';
        await ask(get('/', lies));
        expect(upstream.received).toMatch(/x-forwarded-for: 127\.0\.0\.1\r\n/i);
        expect(upstream.received).toMatch(/x-forwarded-proto: http\r\n/i);
        expect(upstream.received).toMatch(/x-forwarded-host: raw\.test\r\n/i);
        expect(upstream.received).toMatch(/\r\nforwarded: for=127\.0\.0\.1;host="raw\.test";proto=http\r\n/i);
        expect(upstream.received).toMatch(/\r\nvia: 1\.1 cless\r\n/i);
        expect(upstream.received).not.toMatch(/1\.2\.3\.4|6\.6\.6\.6|7\.7\.7\.7|evil/);
        upstream.forget();
        await sendRaw(trusting.port, get('/', lies), { enough: whole });
        expect(upstream.received).toMatch(/x-forwarded-for: 1\.2\.3\.4, 127\.0\.0\.1\r\n/i);
        expect(upstream.received).toMatch(/x-forwarded-proto: https\r\n/i);
        expect(upstream.received).toMatch(
          /\r\nforwarded: for=1\.2\.3\.4, for=127\.0\.0\.1;host="raw\.test";proto=https\r\n/i,
        );
      });

      test('100-continue is answered by the proxy, and not passed on', async () => {
        server.on('request', (request, response) => {
          request.resume().on('end', () => response.end(JSON.stringify(request.rawHeaders)));
        });
        const socket = connect(edge.port, '127.0.0.1');
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.write(
          'POST / HTTP/1.1\r\nHost: node.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
        );
        await expect.poll(() => text).toContain('HTTP/1.1 100 Continue');
        socket.write('body');
        await expect.poll(() => text).toContain('HTTP/1.1 200 OK');
        expect(text.toLowerCase()).not.toContain('expect');
        socket.destroy();
      });

      test.each([1, 20 * MIB])(
        'a body of %i bytes arrives whole, chunked and with a length',
        { timeout: 30_000 },
        async (length) => {
          const body = Buffer.alloc(length, 'cless');
          server.on('request', (request, response) => {
            const hash = createHash('sha256');
            request
              .on('data', (chunk) => hash.update(chunk))
              .on('end', () => response.end(hash.digest('hex')));
          });
          const digest = createHash('sha256').update(body).digest('hex');
          for (const headers of [{ 'Content-Length': length }, { 'Transfer-Encoding': 'chunked' }]) {
            const request = sendRequest({
              port: edge.port,
              method: 'PUT',
              headers: { Host: 'node.test', ...headers },
              agent: false,
            });
            request.end(body);
            const [response] = await once(request, 'response');
            let text = '';
            for await (const chunk of response) text += chunk;
            expect(text).toBe(digest);
          }
        },
      );

      test('trailers of a request are not passed on, and its body is', async () => {
        server.on('request', async (request, response) => {
          let body = '';
          for await (const chunk of request) body += chunk;
          response.end(JSON.stringify([body, request.trailers, request.headers.trailer ?? null]));
        });
        const { text } = await ask(
          'POST / HTTP/1.1\r\nHost: node.test\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n',
          (so) => so.includes(']'),
        );
        expect(text).toContain('["hi",{},null]');
      });

      test('a body over the limit is 413, said before or while it comes', { timeout: 30_000 }, async () => {
        server.on('request', (request, response) =>
          request.resume().on('end', () => response.end('all read')),
        );
        const said = await ask(`POST / HTTP/1.1\r\nHost: node.test\r\nContent-Length: ${101 * MIB}\r\n\r\n`);
        expect([status(said.text), said.text.includes('body-too-large')]).toEqual([413, true]);
        const request = sendRequest({
          port: edge.port,
          method: 'POST',
          headers: { Host: 'node.test' },
          agent: false,
        });
        request.on('error', () => {});
        const answered = once(request, 'response');
        const chunk = Buffer.alloc(MIB);
        for (let i = 0; i < 101 && !request.destroyed; i++)
          if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
        const [response] = await answered;
        expect(response.statusCode).toBe(413);
        request.destroy();
      });

      test('an answer before the body was read is passed on, and the connection lives', async () => {
        server.on('request', (_, response) => response.writeHead(403).end('no'));
        const request = sendRequest({
          port: edge.port,
          method: 'POST',
          headers: { Host: 'node.test', 'Content-Length': 5 * MIB },
          agent: false,
        });
        request.on('error', () => {});
        request.write(Buffer.alloc(MIB));
        const [response] = await once(request, 'response');
        expect(response.statusCode).toBe(403);
        let text = '';
        for await (const chunk of response) text += chunk;
        expect(text).toBe('no');
        request.destroy();
      });

      test('pipelined requests are answered in their order', async () => {
        upstream.script = (connection) => {
          while (connection.hasRequest) {
            const path = connection.received.split('\r\n\r\n')[connection.answered]?.split(' ')[1] ?? '';
            connection.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
          }
        };
        const { text } = await ask(get('/1') + get('/2') + get('/3'), (so) => so.endsWith('/3'));
        expect(text.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(['/1', '/2', '/3']);
      });

      test('HTTP/1.0 clients are answered without chunks', async () => {
        upstream.always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
        const { text, closed } = await ask('GET / HTTP/1.0\r\nHost: raw.test\r\n\r\n', () => false, 2_000);
        expect(closed).toBe(true);
        expect(text).toMatch(/\r\n\r\nok$/);
        expect(text).not.toMatch(/transfer-encoding/i);
      });
    });

    describe('answers', () => {
      test.each([
        ['HEAD', 200, 'Content-Length: 1000'],
        ['GET', 204, 'X-A: 1'],
        ['GET', 304, 'ETag: "x"'],
      ])('%s %i has no body', async (method, code, header) => {
        upstream.always(`HTTP/1.1 ${code} X\r\n${header}\r\n\r\n`);
        const once = `${method} / HTTP/1.1\r\nHost: raw.test\r\n\r\n`;
        const { text } = await ask(once + once, (so) => so.split('\r\n\r\n').length === 3);
        expect(text.split('\r\n\r\n')[0]).toContain(header);
        expect(text.match(new RegExp(`HTTP/1.1 ${code} X`, 'g'))).toHaveLength(2);
      });

      test('several Set-Cookie, order, case and Latin-1 bytes are kept; hop-by-hop headers are not', async () => {
        upstream.always(
          'HTTP/1.1 200 Very Fine\r\nX-One: 1\r\nSet-Cookie: a=1\r\nset-COOKIE: b=2\r\nX-Latin: caf\xe9\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
        );
        const { text } = await ask(get() + get(), (so) => (so.match(/ok/g) ?? []).length === 2);
        expect(text).toMatch(
          /^HTTP\/1.1 200 Very Fine\r\nX-One: 1\r\nSet-Cookie: a=1\r\nset-COOKIE: b=2\r\nX-Latin: caf\xe9\r\n/,
        );
        expect(text).not.toMatch(/x-mine|timeout=1\b|connection: close/i);
      });

      test('trailers are passed on', async () => {
        upstream.always(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n',
        );
        const { text } = await ask(get(), (so) => so.includes('X-Sum: 42\r\n\r\n'));
        expect(text).toMatch(/2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n$/);
      });

      test('early hints are passed on', async () => {
        upstream.always(`HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n${OK}`);
        const { text } = await ask(get(), (so) => so.includes('\r\n\r\nok'));
        expect(text).toMatch(
          /^HTTP\/1.1 103 Early Hints\r\nLink: <\/style.css>; rel=preload; as=style\r\n[\s\S]*HTTP\/1.1 200 OK/i,
        );
      });

      test.each(['Content-Type: text/event-stream', 'Content-Length: 100'])(
        'the head comes before the body does (%s)',
        async (header) => {
          upstream.script = (connection) => {
            if (connection.hasRequest) connection.answer(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`);
          };
          const { text } = await ask(get(), (so) => so.includes('\r\n\r\n'), 2_000);
          expect(status(text)).toBe(200);
        },
      );

      test('event streams come as they are sent', async () => {
        upstream.script = (connection) => {
          if (!connection.hasRequest) return;
          connection.answer('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
        };
        const { text } = await ask(get(), (so) => so.includes('data: 1\n\n'));
        expect(status(text)).toBe(200);
      });

      test('an answer that ends with the connection is whole', async () => {
        upstream.script = (connection) => {
          if (connection.hasRequest) {
            connection.answer('HTTP/1.1 200 OK\r\n\r\nuntil the end');
            connection.socket.end();
          }
        };
        const { text } = await ask(get(), (so) => so.endsWith('0\r\n\r\n'));
        expect(text).toContain('until the end');
      });

      test.each([
        ['shorter than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this', 'end'],
        [
          'shorter than its length, reset',
          'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this',
          'reset',
        ],
        [
          'without its last chunk',
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n',
          'end',
        ],
        [
          'without its last chunk, reset',
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n',
          'reset',
        ],
        [
          'with a broken chunk',
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n',
          'nothing',
        ],
      ])('one that is %s breaks off the client’s, visibly', async (_, bytes, then) => {
        upstream.script = ({ socket }) => {
          socket.write(bytes, () => {
            if (then === 'end') socket.end();
            if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
          });
        };
        const { text, closed } = await ask(get(), () => false, 3_000);
        expect(closed).toBe(true);
        expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
        await expectAlive();
      });

      test.each([
        ['cut', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', 'end'],
        ['reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', 'reset'],
        ['silent', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', 'nothing'],
      ])('one that breaks off (%s) is a reset for an HTTP/1.0 client', async (_, bytes, then) => {
        upstream.script = ({ socket }) => {
          socket.write(bytes);
          if (then === 'end') setTimeout(() => socket.end(), 20);
          if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
        };
        const { text, reset } = await sendRaw(impatient.port, 'GET / HTTP/1.0\r\nHost: raw.test\r\n\r\n');
        expect([text.endsWith('only this'), reset]).toEqual([true, true]);
      });

      test.each([
        ['nothing, and closes', ''],
        ['garbage', 'SSH-2.0-OpenSSH\r\n'],
        ['a status below 100', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
        ['no status', 'HTTP/1.1 abc\r\n\r\n'],
        ['status 0', 'HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n'],
        [
          'an unsolicited 101',
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        ],
        ['NUL in a header', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok'],
        ['a bare CR in a header', 'HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok'],
        ['a space in a header name', 'HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok'],
        ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'],
        [
          'a length and chunks',
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
        ],
        ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'],
        ['headers without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200_000)}\r\n\r\n`],
      ])('%s is a 502, and ends nothing else', async (_, bytes) => {
        upstream.script = ({ socket }) => {
          socket.write(bytes, 'latin1', () => setTimeout(() => socket.end(), 20));
        };
        const { text } = await ask(get(), whole, 4_000);
        expect([status(text), text.includes('upstream-disconnected')]).toEqual([502, true]);
        await expectAlive();
      });

      test.each([
        ['a control byte in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok'],
        ['a trailer and a length', 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok'],
        ['status 999', 'HTTP/1.1 999 Wild\r\nContent-Length: 2\r\n\r\nok'],
        ['an answer after the answer', `${OK}${OK}`],
        ['many informational answers', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50)}${OK}`],
      ])('%s ends nothing', async (_, bytes) => {
        upstream.script = ({ socket }) => socket.write(bytes, 'latin1');
        const { text } = await ask(get(), whole, 4_000);
        expect([200, 502, 999]).toContain(status(text));
        await expectAlive();
      });

      test('no answer in time is a 504, told from a 502', { timeout: 10_000 }, async () => {
        upstream.script = () => {};
        const { text } = await ask(get(), whole, 6_000);
        expect([status(text), text.includes('upstream-timeout')]).toEqual([504, true]);
        await expectAlive();
      });

      test('the time for an answer begins with the end of the request: uploads may take theirs', {
        timeout: 15_000,
      }, async () => {
        upstream.script = (connection) => {
          if (connection.received.endsWith('x'.repeat(10))) connection.answer(OK);
        };
        const socket = connect(edge.port, '127.0.0.1');
        let text = '';
        socket.setEncoding('latin1').on('data', (part: string) => (text += part));
        socket.write('POST / HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 10\r\n\r\n');
        for (let i = 0; i < 10; i++) {
          await new Promise((resolve) => setTimeout(resolve, 350));
          socket.write('x');
        }
        await expect.poll(() => status(text)).toBe(200);
        socket.destroy();
      });

      test('nobody there is a 502', async () => {
        const { text } = await ask('GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n');
        expect([status(text), text.includes('upstream-disconnected')]).toEqual([502, true]);
      });

      test('a client that does not read is waited for, in little memory', { timeout: 20_000 }, async () => {
        let written = 0;
        upstream.script = (connection) => {
          if (!connection.hasRequest) return;
          connection.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${200 * MIB}\r\n\r\n`);
          pour(connection.socket, 200 * MIB, (length) => {
            written += length;
          });
        };
        const socket = connect(edge.port, '127.0.0.1');
        socket.pause();
        socket.write(get());
        await standsStill(() => written);
        expect(written).toBeLessThan(64 * MIB);
        let read = 0;
        socket.on('data', (chunk) => {
          read += chunk.length;
        });
        socket.resume();
        await expect.poll(() => read, { timeout: 15_000 }).toBeGreaterThan(200 * MIB);
        socket.destroy();
      });
    });

    describe('silence in the middle', () => {
      const hurry = (bytes: string, timeoutMs = 5_000) =>
        sendRaw(impatient.port, bytes, { enough: whole, timeoutMs });
      const post = 'POST / HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 100\r\n\r\nonly this';

      test('of a body: 408, and the instance hears of it', { timeout: 10_000 }, async () => {
        let closed = false;
        upstream.script = ({ socket }) => socket.once('close', () => (closed = true));
        const { text } = await hurry(post);
        expect([status(text), text.includes('request-timeout')]).toEqual([408, true]);
        await expect.poll(() => closed).toBe(true);
      });

      test('of a body that comes slowly, but comes: none', { timeout: 10_000 }, async () => {
        upstream.script = (connection) => {
          if (connection.received.endsWith('x'.repeat(10))) connection.answer(OK);
        };
        const socket = connect(impatient.port, '127.0.0.1');
        let text = '';
        socket.setEncoding('latin1').on('data', (part: string) => (text += part));
        socket.write('POST / HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 10\r\n\r\n');
        for (let i = 0; i < 10; i++) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          socket.write('x');
        }
        await expect.poll(() => status(text)).toBe(200);
        socket.destroy();
      });

      test('of an answer: it is broken off, visibly', { timeout: 10_000 }, async () => {
        upstream.script = ({ socket }) =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
        const { text, closed } = await sendRaw(impatient.port, get(), {
          enough: () => false,
          timeoutMs: 5_000,
        });
        expect([status(text), text.endsWith('only this'), closed]).toEqual([200, true, true]);
      });

      test('before the answer, of an event stream and of an upgrade: as long as it likes', {
        timeout: 20_000,
      }, async () => {
        upstream.script = (connection) => setTimeout(() => connection.answer(OK), 2_000);
        expect(status((await hurry(get())).text)).toBe(200);

        upstream.script = ({ socket }) => {
          socket.write(
            'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n',
          );
          setTimeout(() => socket.write('data: 2\n\n'), 2_000);
        };
        const events = await sendRaw(impatient.port, get(), {
          enough: (text) => text.includes('data: 2'),
          timeoutMs: 5_000,
        });
        expect(events.text).toContain('data: 2');

        upstream.script = ({ socket }) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
          setTimeout(() => socket.write('after a while'), 2_000);
        };
        const upgraded = await sendRaw(
          impatient.port,
          'GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
          { enough: (text) => text.includes('after a while'), timeoutMs: 5_000 },
        );
        expect(upgraded.text).toContain('after a while');
      });

      test('a connection that is kept for the next request is not in the middle of anything', {
        timeout: 15_000,
      }, async () => {
        upstream.always(OK);
        const socket = connect(impatient.port, '127.0.0.1');
        let text = '';
        socket.setEncoding('latin1').on('data', (part: string) => (text += part));
        for (let i = 1; i <= 2; i++) {
          socket.write(get());
          await expect.poll(() => text.split('HTTP/1.1 200').length - 1).toBe(i);
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        expect(socket.closed).toBe(false);
        await once(socket, 'close'); // after the keep-alive timeout
      });
    });

    describe('who leaves', () => {
      test('a client that aborts: the instance hears of it within a second', async () => {
        upstream.script = () => {};
        const socket = connect(edge.port, '127.0.0.1');
        socket.write(get());
        await expect.poll(() => upstream.received).toContain('GET / ');
        const gone = once(upstream.connections[0]?.socket ?? socket, 'close');
        socket.destroy();
        await Promise.race([
          gone,
          new Promise((_, reject) => setTimeout(() => reject(new Error('not within a second')), 1_000)),
        ]);
      });

      /** Sends both over one connection, so that the same process handles them. */
      const inTurn = async (first: string, second: string) => {
        const socket = connect(edge.port, '127.0.0.1')
          .setEncoding('latin1')
          .on('error', () => {});
        const answers: string[] = [];
        for (const request of [first, second]) {
          socket.write(request, 'latin1');
          let text = '';
          while (!whole(text)) text += (await once(socket, 'data'))[0];
          answers.push(text);
        }
        socket.destroy();
        return answers as [string, string];
      };

      /** Answers the first request of a connection, and closes at the second without an answer. */
      const stale = (onSecond: () => void) => {
        upstream.script = (connection) => {
          if (!connection.hasRequest) return;
          if (connection.answered === 0) return connection.answer(OK);
          onSecond();
          connection.socket.resetAndDestroy();
        };
      };

      test('a stale connection is not the client’s problem: GET is asked again, once', async () => {
        let second = 0;
        stale(() => second++);
        const answers = await inTurn(get('/first'), get('/second'));
        expect(answers.map(status)).toEqual([200, 200]);
        expect(second).toBe(1);
        expect(upstream.received.match(/GET \/second/g)).toHaveLength(2);
      });

      test('nor is a GET whose answer had begun', async () => {
        upstream.script = (connection) => {
          if (!connection.hasRequest) return;
          if (connection.answered === 0) connection.answer(OK);
          else connection.socket.end('H');
        };
        const [first, text] = await inTurn(get('/first'), get('/second'));
        expect([first, text].map(status)).toEqual([200, 502]);
        expect(upstream.received.match(/GET \/second/g)).toHaveLength(1);
      });

      test('POST is not: it may have been executed', async () => {
        stale(() => {});
        const [first, text] = await inTurn(
          get('/first'),
          'POST /second HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 4\r\n\r\nbody',
        );
        expect(status(first)).toBe(200);
        expect([status(text), text.includes('upstream-disconnected')]).toEqual([502, true]);
        expect(upstream.received.match(/POST \/second/g)).toHaveLength(1);
      });

      /** Behaves as the engine's port relay does for a dead app: accepts the connection and closes it. */
      const relayOfTheDead = (how: 'end' | 'reset') => {
        upstream.script = ({ socket }) => {
          if (how === 'end') socket.end();
          else socket.resetAndDestroy();
        };
      };

      test.each(['end', 'reset'] as const)(
        'a fresh connection that is closed without a word (%s): GET is asked again, once',
        async (how) => {
          relayOfTheDead(how);
          expect(status((await ask(get('/fresh'))).text)).toBe(502);
          expect(upstream.received.match(/GET \/fresh/g)).toHaveLength(2);
        },
      );

      test.each([
        'POST /fresh HTTP/1.1\r\nHost: raw.test\r\n\r\n',
        'PUT /fresh HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 4\r\n\r\nbody',
      ])('but not what may have been executed, nor what has a body: %j', async (request) => {
        relayOfTheDead('end');
        expect(status((await ask(request)).text)).toBe(502);
        expect(upstream.received.match(/ \/fresh/g)).toHaveLength(1);
      });

      test.each(['H', 'HTTP/1.1 2', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n', 'garbage'])(
        'nor what has been answered with as little as %j',
        async (bytes) => {
          upstream.script = ({ socket }) => socket.end(bytes);
          expect(status((await ask(get('/fresh'))).text)).toBe(502);
          expect(upstream.received.match(/GET \/fresh/g)).toHaveLength(1);
        },
      );
    });

    describe('upgrades', () => {
      const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
      const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
      const webSocket = `GET /ws HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
      const switching = (accept: string) =>
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

      test('bytes flow both ways, also those that come early', async () => {
        upstream.script = (connection) => {
          if (connection.answered === 0) connection.answer(`${switching(ACCEPT)}early answer`);
          if (connection.received.endsWith('bye')) connection.socket.end('bye, too');
        };
        const socket = connect(edge.port, '127.0.0.1');
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
        });
        socket.write(`${webSocket}early question`);
        await expect.poll(() => text).toContain('early answer');
        await expect.poll(() => upstream.received).toContain('early question');
        socket.write('bye');
        await expect.poll(() => text).toMatch(/bye, too$/);
        expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
        socket.destroy();
      });

      test.each([
        ['a wrong Sec-WebSocket-Accept', switching('bm90IHRoZSByaWdodCBvbmU=')],
        ['another protocol', switching(ACCEPT).replace('Upgrade: websocket', 'Upgrade: other')],
        ['no protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'],
      ])('a 101 with %s is a 502', async (_, bytes) => {
        upstream.script = (connection) => connection.answer(bytes);
        const { text } = await ask(webSocket);
        expect(status(text)).toBe(502);
        await expectAlive();
      });

      test('a refusal is passed on whole', async () => {
        upstream.always('HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 8\r\n\r\nnot you!');
        const { text, closed } = await ask(webSocket, () => false, 2_000);
        expect(closed).toBe(true);
        expect(text).toMatch(
          /^HTTP\/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 8\r\n[\s\S]*\r\n\r\nnot you!$/,
        );
      });

      test('what an instance sends behind it is for nobody, and ends nothing', async () => {
        upstream.always('HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot you!garbage');
        const { text, closed } = await ask(webSocket, () => false, 2_000);
        expect([closed, status(text), text.endsWith('\r\n\r\nnot you!')]).toEqual([true, 403, true]);
        await expectAlive();
      });

      test('one without a body has none then', async () => {
        upstream.always('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
        const { text, closed } = await ask(webSocket, () => false, 2_000);
        expect([closed, status(text), text.endsWith('\r\n\r\n')]).toEqual([true, 401, true]);
        expect(text).not.toMatch(/transfer-encoding/i);
      });

      test('nobody there is a 502', async () => {
        const { text } = await ask(webSocket.replace('raw.test', 'nobody.test'));
        expect([status(text), text.includes('upstream-disconnected')]).toEqual([502, true]);
      });

      test('another protocol than WebSocket is carried', async () => {
        upstream.script = (connection) => {
          if (connection.answered === 0)
            connection.answer(
              'HTTP/1.1 101 Switching Protocols\r\nUpgrade: own/1\r\nConnection: Upgrade\r\n\r\nhello',
            );
        };
        const { text } = await ask(
          'GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: upgrade\r\nUpgrade: own/1\r\n\r\n',
          (so) => so.endsWith('hello'),
        );
        expect(status(text)).toBe(101);
      });

      test('one side that has ended does not wait for ever for the other', { timeout: 20_000 }, async () => {
        upstream.script = (connection) => connection.answered === 0 && connection.answer(switching(ACCEPT));
        const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
        socket.write(webSocket);
        await once(socket, 'data');
        const instance = upstream.connections[0]?.socket;
        if (instance) instance.allowHalfOpen = true;
        socket.end();
        socket.resume();
        await once(instance ?? socket, 'end');
        await once(socket, 'close');
      });

      test('a client that leaves ends the instance’s side, and the other way round', async () => {
        upstream.script = (connection) => connection.answered === 0 && connection.answer(switching(ACCEPT));
        for (const side of ['client', 'instance']) {
          upstream.forget();
          const socket = connect(edge.port, '127.0.0.1');
          socket.on('error', () => {});
          socket.write(webSocket);
          await expect.poll(() => upstream.connections[0]?.answered).toBe(1);
          await once(socket, 'data');
          const instance = upstream.connections[0]?.socket;
          const other = side === 'client' ? instance : socket;
          const closed = once(other ?? socket, 'close');
          (side === 'client' ? socket : instance)?.destroy();
          other?.resume();
          await closed;
        }
      });

      test('nor does an instance have to read', { timeout: 20_000 }, async () => {
        upstream.script = (connection) => {
          if (connection.answered > 0) return;
          connection.answer(switching(ACCEPT));
          connection.socket.pause();
        };
        const socket = connect(edge.port, '127.0.0.1').on('error', () => {});
        socket.write(webSocket);
        await once(socket, 'data');
        let written = 0;
        pour(socket, 200 * MIB, (length) => {
          written += length;
        });
        await standsStill(() => written);
        expect(written).toBeLessThan(64 * MIB);
        socket.destroy();
      });

      test('a client that does not read is waited for, in little memory', { timeout: 20_000 }, async () => {
        let written = 0;
        upstream.script = (connection) => {
          if (connection.answered > 0) return;
          connection.answer(switching(ACCEPT));
          pour(connection.socket, 200 * MIB, (length) => {
            written += length;
          });
        };
        const socket = connect(edge.port, '127.0.0.1');
        socket.pause();
        socket.write(webSocket);
        await standsStill(() => written);
        expect(written).toBeLessThan(64 * MIB);
        socket.destroy();
      });
    });
  });
}

/** Writes `length` bytes as fast as the other side reads them. */
function pour(socket: Socket, length: number, onWrite: (length: number) => void): void {
  const chunk = Buffer.alloc(MIB, 'x');
  let left = length;
  const more = () => {
    while (left > 0) {
      left -= chunk.length;
      onWrite(chunk.length);
      if (!socket.write(chunk)) return void socket.once('drain', more);
    }
  };
  more();
}

/** Waits until a growing number stops growing. */
async function standsStill(read: () => number): Promise<void> {
  let before = 0;
  await expect
    .poll(
      () => {
        const [last, now] = [before, read()];
        before = now;
        return now > 0 && now === last;
      },
      { interval: 500, timeout: 10_000 },
    )
    .toBe(true);
}

/** Has a complete answer with a length been received? */
function whole(text: string): boolean {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return length !== undefined && rest.join('\r\n\r\n').length >= Number(length);
}
