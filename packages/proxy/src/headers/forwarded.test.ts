import { describe, expect, test } from 'vitest';
import { FakeIncoming } from '../exchange/fake-exchange.ts';
import { readHead } from '../request/head.ts';
import { instanceHeaders } from './forwarded.ts';

const LIMITS = { maxTargetBytes: 8192, maxHeaderCount: 200, maxBodyBytes: Number.POSITIVE_INFINITY };

/** The headers the instance gets for these of a client, by lower-case name. */
function sent(
  headers: readonly string[],
  { trusted = false, method = 'GET', host = 'app.test' } = {},
): Record<string, string> {
  const incoming = new FakeIncoming({ method, peer: {}, rawHeaders: ['Host', host, ...headers] });
  const outgoing = instanceHeaders(incoming, readHead(incoming, LIMITS), 'id', trusted);
  return Object.fromEntries(
    outgoing.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), outgoing[i + 1] ?? '']] : [])),
  );
}

describe('what proxies say of a request', () => {
  const names = [
    'X-Forwarded-Prefix',
    'X-Forwarded-Server',
    'X-Forwarded-Ssl',
    'X-Forwarded-Anything-At-All',
    'X-Forwarded',
    'X-Original-URL',
    'X-Original-Host',
    'X-ORIGINAL-FORWARDED-FOR',
    'X-Rewrite-URL',
    'X-Real-IP',
  ];

  test.each(names)('%s of a stranger is dropped, of a trusted proxy it passes', (name) => {
    expect(sent([name, 'of the client'])).not.toHaveProperty([name.toLowerCase()]);
    expect(sent([name, 'of the proxy'], { trusted: true })).toHaveProperty(
      [name.toLowerCase()],
      'of the proxy',
    );
  });

  test.each(names)('%s, written with _, is dropped in any case', (name) => {
    for (const double of new Set([name.replaceAll('-', '_'), name.replace('-', '_')])) {
      for (const trusted of [false, true])
        expect(sent([double, 'x'], { trusted })).not.toHaveProperty([double.toLowerCase()]);
    }
  });

  test.each(['X-Forwardedness', 'X-Originality', 'X-Rewriter', 'Original-Url', 'X_Mine'])(
    '%s is none of these',
    (name) => {
      expect(sent([name, 'x'])).toHaveProperty([name.toLowerCase()], 'x');
    },
  );

  test.each(['Trailer', 'Expect', 'Via_', 'content_length'])('%s', (name) => {
    expect(Object.keys(sent([name, 'x'])).includes(name.toLowerCase())).toBe(name === 'Via_');
  });
});

describe('X-Forwarded-Port is the one that the client asked for', () => {
  const https = ['X-Forwarded-Proto', 'https'];
  test.each([
    ['app.test', [], false, '80'],
    ['app.test:8080', [], false, '8080'],
    ['[::1]', [], false, '80'],
    ['[::1]:81', [], false, '81'],
    ['app.test', https, false, '80'],
    ['app.test', https, true, '443'],
    ['app.test:8443', https, true, '8443'],
    ['app.test', ['X-Forwarded-Proto', 'wss'], true, '443'],
    ['app.test', ['X-Forwarded-Proto', 'https, http'], true, '443'],
    ['inner.test:8080', [...https, 'X-Forwarded-Host', 'outer.test'], true, '443'],
    ['inner.test', [...https, 'X-Forwarded-Host', 'outer.test:444, inner.test'], true, '444'],
    ['app.test:8080', ['X-Forwarded-Port', '444'], true, '444'],
    ['app.test:8080', ['X-Forwarded-Port', '444'], false, '8080'],
  ] as const)('%s %j, trusted: %s → %s', (host, headers, trusted, port) => {
    expect(sent(headers, { host, trusted })['x-forwarded-port']).toBe(port);
  });
});

describe('the scheme that a trusted proxy tells', () => {
  test.each([
    ['https', 'https', 'https'],
    ['HTTPS', 'HTTPS', 'HTTPS'],
    ['https, http', 'https, http', 'https'],
    ['https;host=evil', 'http', 'http'],
    ['https"', 'http', 'http'],
    ['https, "', 'http', 'http'],
    ['', 'http', 'http'],
    [',', 'http', 'http'],
  ])('%j is told as %j, and in Forwarded as %j', (told, proto, forwarded) => {
    const headers = sent(['X-Forwarded-Proto', told], { trusted: true });
    expect(headers['x-forwarded-proto']).toBe(proto);
    expect(headers.forwarded).toBe(`for=0.0.0.0;host="app.test";proto=${forwarded}`);
  });
});

test('Via tells of us, behind those before', () => {
  expect(sent([]).via).toBe('1.1 cless');
  expect(sent(['Via', '1.0 a', 'via', '1.1 b']).via).toBe('1.0 a, 1.1 b, 1.1 cless');
});

test.each([
  ['OPTIONS', '3', '2'],
  ['GET', '3', '3'],
])('Max-Forwards of %s: %s becomes %s', (method, before, after) => {
  expect(sent(['Max-Forwards', before], { method })['max-forwards']).toBe(after);
});
