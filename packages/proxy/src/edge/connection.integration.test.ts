import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EdgeUnderTest, RawUpstream, sendRaw } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from '../../test/edge/edge-under-test.ts';

/*
 * One owner for each client connection: at most one exchange or takeover at a time, in order, and an end for each.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const WEB_SOCKET = upgradeTo('websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n');
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const CONNECT = 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n';

function get(path: string, headers = '', host = 'raw.test'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
}

function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: raw.test\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

function upgradeTo(protocol: string, headers = '', host = 'raw.test'): string {
  return get('/up', `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${headers}`, host);
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

describe.each(WAYS)('connections, over %s', (forwarder) => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge(forwarder, endpoints(), { responseTimeoutMs: 3_000, maxBodyBytes: 1 << 20 });
  });

  const endpoints = () => ({ raw: upstream.endpoint, nobody: { host: '127.0.0.1', port: 1 } });

  afterEach(async () => {
    upstream.forget();
    upstream.always(OK);
    const { text } = await sendRaw(edge.port, get('/alive'), { enough: (so) => so.endsWith('ok') });
    expect(statuses(text)).toEqual([200]);
    upstream.forget();
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
  });

  /** The requests the instance received, one line each, in order. */
  function arrived(): string[] {
    return [...upstream.received.matchAll(/(?:^|\n|(?<=\w))((?:GET|POST|OPTIONS) \S+) HTTP/g)].map(
      ([, line]) => line ?? '',
    );
  }

  /** The instance answers `/slow` a while later, all others at once. */
  function slowly(ms = 60, answer = OK): void {
    upstream.script = (connection) => {
      while (connection.hasRequest) {
        const path = connection.received.split('\r\n\r\n')[connection.answered]?.split(' ')[1];
        if (path !== '/slow') {
          connection.answer(path === '/up' ? SWITCHING : answer);
          continue;
        }
        connection.answer('');
        setTimeout(() => connection.socket.write(answer), ms);
      }
    };
  }

  describe('behind a request that is not answered yet', () => {
    const unknown = upgradeTo('websocket', '', 'nobody-knows.test');
    test.each([
      ['CONNECT', CONNECT, [200, 400]],
      ['an upgrade for a host that is none', upgradeTo('websocket', '', 'a..b'), [200, 400]],
      ['an upgrade that cannot be carried', upgradeTo('websocket', '', 'nobody.test'), [200, 502]],
      ['an upgrade for nobody', unknown, [200, 404]],
      ['garbage', '\x01\x02\r\n\r\n', [200, 400]],
      ['a bad head', 'GET /b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', [200, 400]],
      [
        'an expectation that is not met, on a body whose end is not certain',
        'POST /b HTTP/1.1\r\nHost: raw.test\r\nExpect: miracles\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
        [200, 417],
      ],
      [
        'TRACE with a body',
        'TRACE /b HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        [200, 405],
      ],
      ['a request of HTTP/2', 'GET /b HTTP/2.0\r\nHost: raw.test\r\n\r\n', [200, 505]],
    ])('%s is refused after it, and that is the end', async (_name, bytes, expected) => {
      slowly();
      const { text, closed } = await sendRaw(edge.port, get('/slow') + bytes + get('/after'));
      expect([statuses(text), closed]).toEqual([expected, true]);
      expect(arrived()).toEqual(['GET /slow']);
    });

    test('also where no instance is needed', async () => {
      const options = 'OPTIONS * HTTP/1.1\r\nHost: raw.test\r\n\r\n';
      const { text, closed } = await sendRaw(edge.port, options + CONNECT);
      expect([statuses(text), closed]).toEqual([[204, 400], true]);
    });

    test('an upgrade that is taken begins after it', async () => {
      slowly();
      const { text } = await sendRaw(edge.port, `${get('/slow')}${WEB_SOCKET}early`, {
        enough: (so) => so.endsWith('\r\n\r\n'),
      });
      expect(statuses(text)).toEqual([200, 101]);
      expect(text.indexOf('ok')).toBeLessThan(text.indexOf(' 101 '));
      await expect.poll(() => upstream.received).toMatch(/early$/);
    });

    test('an upgrade that the instance refuses is answered after it', async () => {
      slowly(60, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      upstream.script = withUpgrade('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', upstream.script);
      const { text, closed } = await sendRaw(edge.port, get('/slow') + WEB_SOCKET);
      expect([statuses(text), closed]).toEqual([[403, 403], true]);
    });

    test('a large answer is not stopped by an upgrade that waits', { timeout: 20_000 }, async () => {
      const size = 20 * 1024 * 1024;
      upstream.script = (connection) => {
        if (connection.answered === 0)
          connection.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
      };
      const socket = connect(edge.port, '127.0.0.1');
      socket.write(get('/large') + CONNECT);
      await sleep(200); // it is full by then
      let length = 0;
      for await (const chunk of socket) length += (chunk as Buffer).length;
      expect(length).toBeGreaterThan(size);
    });

    test('no other is sent to an instance, and the order stays', async () => {
      slowly(100);
      const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
      const bytes = get('/slow') + paths.map((path) => get(path)).join('');
      const answer = sendRaw(edge.port, bytes, { enough: (so) => statuses(so).length === 21 });
      await expect.poll(arrived).toEqual(['GET /slow']);
      expect(statuses((await answer).text)).toEqual(Array(21).fill(200));
      expect(arrived()).toEqual(['GET /slow', ...paths.map((path) => `GET ${path}`)]);
      expect(upstream.connections).toHaveLength(1);
    });

    test('a thousand take one connection to the instance', { timeout: 20_000 }, async () => {
      upstream.always(OK);
      const { text } = await sendRaw(edge.port, get('/n').repeat(1_000), {
        timeoutMs: 15_000,
        enough: (so) => so.length > 1_000 * 60 && statuses(so).length === 1_000,
      });
      expect(statuses(text)).toHaveLength(1_000);
      expect(upstream.connections).toHaveLength(1);
    });

    test('reading stops when much waits', { timeout: 20_000 }, async () => {
      upstream.script = () => {};
      const socket = connect(edge.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(get('/never'));
      const flood = get('/wait', `X-Fill: ${'x'.repeat(4_000)}\r\n`).repeat(5_000);
      socket.write(flood);
      await sleep(500);
      // What does not fit into the kernel's buffers has not been written.
      expect(socket.writableLength).toBeGreaterThan(flood.length / 2);
      socket.destroy();
      // A client that has sent this much cannot be seen to leave, but its connection ends too.
      const left = () => upstream.connections.every(({ socket }) => socket.destroyed);
      await expect.poll(left, { timeout: 8_000 }).toBe(true);
    });

    test('a POST and what follows it are not run side by side', async () => {
      let open = 0;
      let most = 0;
      upstream.script = (connection) => {
        if (!/hi$|GET \/c.*\r\n\r\n$/s.test(connection.received)) return;
        open += 1;
        most = Math.max(most, open);
        setTimeout(() => {
          open -= 1;
          connection.answer(OK);
        }, 50);
      };
      const bytes = post('/a', 'hi') + post('/b', 'hi') + get('/c');
      const { text } = await sendRaw(edge.port, bytes, { enough: (so) => statuses(so).length === 3 });
      expect([statuses(text), most]).toEqual([[200, 200, 200], 1]);
    });

    test('100 Continue is said when it is the first in line', async () => {
      slowly();
      const bytes = get('/slow') + post('/p', 'hi', 'Expect: 100-continue\r\n') + get('/y');
      const { text } = await sendRaw(edge.port, bytes, { enough: (so) => statuses(so).length === 4 });
      expect(statuses(text)).toEqual([200, 100, 200, 200]);
      expect(text.replace(/\r\n\r\n/g, '|')).toMatch(
        /^H[^|]+\|okHTTP\/1.1 100 Continue\|H[^|]+\|okH[^|]+\|ok$/,
      );
    });

    test('half an answer ends the connection, and no other is written into it', async () => {
      upstream.script = (connection) => {
        if (!connection.hasRequest) return;
        if (!connection.received.includes('/half')) return connection.answer(OK);
        connection.answer('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        setTimeout(() => connection.socket.destroy(), 20);
      };
      const { text, closed } = await sendRaw(edge.port, get('/a') + get('/half') + get('/c'));
      expect([statuses(text), closed]).toEqual([[200, 200], true]);
      expect(text).toMatch(/half$/);
    });

    test('an offer to upgrade that is ignored is a request like any other', async () => {
      slowly();
      const offer = upgradeTo('h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n').replace('/up', '/b');
      const { text } = await sendRaw(edge.port, get('/slow') + offer + get('/c'), {
        enough: (so) => statuses(so).length === 3,
      });
      expect(statuses(text)).toEqual([200, 200, 200]);
      expect(arrived()).toEqual(['GET /slow', 'GET /b', 'GET /c']);
    });
  });

  test('what cannot be read is refused with a date, and to a HEAD without a body', async () => {
    const bad = ' / HTTP/1.1\r\nHost: raw.test\r\nBad Name: x\r\n\r\n';
    const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => sendRaw(edge.port, method + bad)));
    for (const answer of [get, head]) expect(answer?.text).toMatch(/^HTTP\/1\.1 400 .*\r\nDate: \w{3}, /s);
    expect(get?.text).toMatch(/\r\n\r\n\{.*\}\n$/s);
    expect(head?.text).toMatch(/\r\n\r\n$/);
  });

  describe('a body that is no HTTP', () => {
    const chunked = (headers = '') =>
      `POST /a HTTP/1.1\r\nHost: raw.test\r\n${headers}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`;
    test.each([
      ['while the instance reads it', chunked(), ''],
      ['of a request that is the last', chunked('Connection: close\r\n'), ''],
      ['of one that waits', get('/slow') + chunked(), 'GET /slow'],
    ])('%s is a 400', async (_name, bytes, before) => {
      slowly();
      const { text, closed } = await sendRaw(edge.port, `${bytes}garbage`, { timeoutMs: 2_000 });
      expect([statuses(text), closed]).toEqual([before === '' ? [400] : [200, 400], true]);
    });

    test('behind an answer that came early ends the connection', async () => {
      upstream.script = (connection) => connection.answered === 0 && connection.answer(OK);
      const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(chunked());
      await once(socket, 'data');
      socket.write('garbage');
      await once(socket, 'end');
      socket.destroy();
    });
  });

  describe('after a request that is the last', () => {
    const smuggled = get('/smuggled');
    test.each([
      ['Connection: close', get('/a', 'Connection: close\r\n'), 200],
      ['HTTP/1.0', 'GET /a HTTP/1.0\r\nHost: raw.test\r\n\r\n', 200],
      [
        'HTTP/1.0 that says both',
        'GET /a HTTP/1.0\r\nHost: raw.test\r\nConnection: close, keep-alive\r\n\r\n',
        200,
      ],
      [
        'HTTP/1.0 with Proxy-Connection',
        'GET /a HTTP/1.0\r\nHost: raw.test\r\nProxy-Connection: keep-alive\r\n\r\n',
        200,
      ],
      [
        'another coding',
        `POST /a HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      [
        'identity',
        `POST /a HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      [
        'an empty coding',
        `POST /a HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      [
        'two codings',
        `POST /a HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      [
        'HTTP/1.0 with chunks',
        `POST /a HTTP/1.0\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      ['a length of 010', `POST /a HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 010\r\n\r\n0123456789`, 400],
      ['a length of 00', `POST /a HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 00\r\n\r\n`, 400],
      ['two hosts', 'GET /a HTTP/1.1\r\nHost: raw.test\r\nHost: b.test\r\n\r\n', 400],
      ['no host', 'GET /a HTTP/1.1\r\n\r\n', 400],
      ['a host that is none', get('/a', '', 'a..b'), 400],
      [
        'a body that is too large',
        `POST /a HTTP/1.1\r\nHost: raw.test\r\nContent-Length: ${1 << 21}\r\n\r\n`,
        413,
      ],
      ['an absolute target without Host', 'GET http://raw.test/ HTTP/1.1\r\n\r\n', 400],
      [
        'an absolute target with a Host that is none',
        'GET http://raw.test/ HTTP/1.1\r\nHost: a..b\r\n\r\n',
        400,
      ],
      ['a method of RTSP', 'ANNOUNCE /a RTSP/1.0\r\nHost: raw.test\r\n\r\n', 505],
      ['a method of ICE', 'SOURCE /a ICE/1.0\r\nHost: raw.test\r\n\r\n', 505],
    ])('nothing is one: %s', async (_name, bytes, expected) => {
      upstream.always(OK);
      // A connection to the instance is free.
      await sendRaw(edge.port, get('/warm'), { enough: (so) => so.endsWith('ok') });
      for (const rest of [smuggled, smuggled.repeat(3), '\x01\x02\r\n\r\n', CONNECT, WEB_SOCKET]) {
        const { text, closed } = await sendRaw(edge.port, bytes + rest);
        expect([statuses(text), closed]).toEqual([[expected], true]);
      }
      expect(upstream.received).not.toContain('smuggled');
      expect(upstream.received).not.toContain('/up');
    });

    test('what follows in masses is not even parsed', async () => {
      let parsed = 0;
      const count = () => {
        parsed += 1;
      };
      subscribe('http.server.request.start', count);
      const { text } = await sendRaw(edge.port, `${get('/a', '', 'a..b')}${get('/n').repeat(100_000)}`);
      unsubscribe('http.server.request.start', count);
      expect(statuses(text)).toEqual([400]);
      expect(parsed).toBeLessThan(10_000);
    });

    test('who is refused while it uploads hears it before the connection breaks', async () => {
      const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
      let text = '';
      let error: Error | undefined;
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.on('error', (reason) => {
        error = reason;
      });
      socket.write(`POST /a HTTP/1.1\r\nHost: raw.test\r\nContent-Length: ${20 << 20}\r\n\r\n`);
      const chunk = Buffer.alloc(1 << 20);
      for (let i = 0; i < 20; i++) await new Promise((resolve) => socket.write(chunk, resolve));
      await expect.poll(() => statuses(text)).toEqual([413]);
      expect(error).toBeUndefined();
      socket.destroy();
    });
  });

  describe('offers to upgrade that are ignored', () => {
    test.each([
      ['h2c, as Java and curl make it', upgradeTo('h2c', 'HTTP2-Settings: AAMA\r\n'), 'GET /up'],
      [
        'h2c with a body',
        post('/up', 'body', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n'),
        'POST /up',
      ],
      ['TLS, as Apache makes it', upgradeTo('TLS/1.2'), 'GET /up'],
      [
        'TLS with chunks',
        'POST /up HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2, TLS/1.3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
        'POST /up',
      ],
      [
        'a WebSocket with a body',
        post('/up', 'body', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
        'POST /up',
      ],
    ])('%s', async (_name, bytes, line) => {
      upstream.script = (connection) => {
        const whole = /^GET/.test(connection.received)
          ? connection.hasRequest
          : /body(?:\r\n0\r\n\r\n)?$/.test(connection.received);
        if (whole) connection.answer(OK);
      };
      const { text } = await sendRaw(edge.port, bytes, { enough: (so) => so.endsWith('ok') });
      expect(statuses(text)).toEqual([200]);
      expect(arrived()).toEqual([line]);
      expect(upstream.received).not.toMatch(/upgrade|http2-settings/i);
    });

    test('the connection is kept', async () => {
      upstream.always(OK);
      const { text } = await sendRaw(edge.port, upgradeTo('h2c') + get('/b') + upgradeTo('h2c') + get('/d'), {
        enough: (so) => statuses(so).length === 4,
      });
      expect(statuses(text)).toEqual([200, 200, 200, 200]);
    });

    test('one with each request leaves nothing behind on the connection', async () => {
      const warnings: Error[] = [];
      const warned = (warning: Error) => warnings.push(warning);
      process.on('warning', warned);
      upstream.always(OK);
      const { text } = await sendRaw(edge.port, upgradeTo('h2c').repeat(50), {
        enough: (so) => statuses(so).length === 50,
      });
      process.off('warning', warned);
      expect([statuses(text).length, warnings]).toEqual([50, []]);
    });

    test('HTTP/1.0 knows none', async () => {
      upstream.always(OK);
      const { text } = await sendRaw(edge.port, WEB_SOCKET.replace('HTTP/1.1', 'HTTP/1.0'));
      expect(statuses(text)).toEqual([200]);
      expect(upstream.received).not.toMatch(/upgrade/i);
    });
  });

  describe('upgrades', () => {
    test('who wants to hear 100 first hears it', async () => {
      slowly();
      const bytes = WEB_SOCKET.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
      const { text } = await sendRaw(edge.port, bytes, { enough: (so) => so.includes(' 101 ') });
      expect(statuses(text)).toEqual([100, 101]);
    });

    test('a client that leaves before the answer is noticed', async () => {
      upstream.script = () => {};
      const socket = connect(edge.port, '127.0.0.1');
      socket.write(WEB_SOCKET);
      await expect.poll(() => upstream.received).toContain('/up');
      socket.end();
      await expect.poll(() => upstream.connections.every((one) => one.socket.destroyed)).toBe(true);
      socket.destroy();
    });

    test('what was refused is passed on whole, also if it is large', { timeout: 20_000 }, async () => {
      const size = 5 << 20;
      upstream.always(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
      const { text, closed } = await sendRaw(edge.port, WEB_SOCKET, { timeoutMs: 10_000 });
      expect([text.endsWith('x'), text.length > size, closed]).toEqual([true, true, true]);
    });
  });

  describe('an end for each connection', () => {
    const refused: [string, string][] = [
      ['CONNECT', CONNECT],
      ['an upgrade for nobody', upgradeTo('websocket', '', 'nobody-knows.test')],
      ['an upgrade that cannot be carried', upgradeTo('websocket', '', 'nobody.test')],
      ['garbage', '\x01\x02\r\n\r\n'],
      ['a bad head', 'GET /b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ];

    async function open(port: number, bytes: string): Promise<{ socket: Socket; text: () => string }> {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(bytes, 'latin1');
      return { socket, text: () => text };
    }

    test.each(refused)('%s: a client that never ends its side', async (_name, bytes) => {
      const { socket, text } = await open(edge.port, bytes);
      await once(socket, 'end');
      expect(statuses(text())).toHaveLength(1);
      const { localPort } = socket;
      // The system's own list says when the edge has let go of it.
      await expect.poll(() => ownStates(localPort, edge.port), { timeout: 4_000 }).toEqual([]);
      socket.destroy();
    });

    test('a drain waits for none of them', { timeout: 20_000 }, async () => {
      const draining = await startEdge(forwarder, endpoints(), {
        responseTimeoutMs: 3_000,
        drainTimeoutMs: 60_000,
      });
      upstream.always(OK);
      const silent = await open(draining.port, '');
      const half = await open(draining.port, 'GET / HTTP/1.1\r\nHost: raw');
      const kept = await open(draining.port, get('/a'));
      await expect.poll(kept.text).toContain('ok');
      const others = await Promise.all(refused.map(([, bytes]) => open(draining.port, bytes)));
      await expect.poll(() => others.every(({ text }) => text() !== '')).toBe(true);
      await draining.close();
      for (const { socket } of [silent, half, kept, ...others]) socket.destroy();
    });

    test('what is open at the end of a drain is broken off', { timeout: 20_000 }, async () => {
      const draining = await startEdge(forwarder, endpoints(), {
        responseTimeoutMs: 60_000,
        drainTimeoutMs: 200,
      });
      upstream.script = (connection) => {
        if (connection.received.includes('/up') && connection.answered === 0) connection.answer(SWITCHING);
      };
      const waiting = await open(draining.port, get('/never') + CONNECT);
      const upgraded = await open(draining.port, WEB_SOCKET);
      await expect.poll(upgraded.text).toContain('101');
      const closed = [waiting, upgraded].map(({ socket }) => once(socket, 'close'));
      for (const { socket } of [waiting, upgraded]) socket.on('end', () => socket.end());
      await draining.close();
      await Promise.all(closed);
    });

    test('the system asks whether a silent client is still there', async () => {
      upstream.script = (connection) => {
        if (connection.hasRequest)
          connection.answer('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
      };
      const { socket, text } = await open(edge.port, get('/events'));
      await expect.poll(text).toContain('data: 1');
      // `tr` of /proc/net/tcp: 02 is the timer of keep-alive.
      await expect.poll(() => ownTimers(socket.localPort, edge.port)).toEqual(['02']);
      socket.destroy();
    });
  });

  function withUpgrade(answer: string, others: RawUpstream['script']): RawUpstream['script'] {
    return (connection) => {
      const path = connection.received.split('\r\n\r\n')[connection.answered]?.split(' ')[1];
      if (connection.hasRequest && path === '/up') connection.answer(answer);
      else others(connection);
    };
  }
});

/** The edge's side of a connection, as Linux lists it. */
function rows(clientPort: number | undefined, edgePort: number): string[][] {
  const hex = (port = 0) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => row[1] === hex(edgePort) && row[2] === hex(clientPort));
}

/** Those in which it is still held by the process: neither closed nor left to the kernel (TIME_WAIT, FIN_WAIT). */
function ownStates(clientPort: number | undefined, edgePort: number): string[] {
  return rows(clientPort, edgePort)
    .filter((row) => row[9] !== '0')
    .map((row) => row[3] ?? '');
}

function ownTimers(clientPort: number | undefined, edgePort: number): string[] {
  return rows(clientPort, edgePort).map((row) => row[5]?.split(':')[0] ?? '');
}
