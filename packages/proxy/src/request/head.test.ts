import { describe, expect, test } from 'vitest';
import { FakeIncoming } from '../exchange/fake-exchange.ts';
import { readHead } from './head.ts';

const limits = { maxTargetBytes: 20, maxHeaderCount: 4, maxBodyBytes: 100 };

function head(target: string, headers: string[], { method = 'GET', minor = 1, major = 1 } = {}) {
  const httpVersion = `${major}.${minor}`;
  return readHead(new FakeIncoming({ method, target, rawHeaders: headers, httpVersion }), limits);
}

const HOST = ['Host', 'a.example'];

describe('what is read', () => {
  test.each([
    ['/a?b', HOST, { host: 'a.example', path: '/a?b', hasBody: false }],
    ['http://b.example/c', HOST, { host: 'b.example', path: '/c', hasBody: false }],
    ['http://b.example?c', HOST, { host: 'b.example', path: '/?c', hasBody: false }],
    ['http://b.example', HOST, { host: 'b.example', path: '/', hostField: 'a.example' }],
    ['/', [...HOST, 'Content-Length', '0'], { host: 'a.example', path: '/', hasBody: false }],
    ['/', [...HOST, 'content-length', '5'], { host: 'a.example', path: '/', hasBody: true }],
    ['/', [...HOST, 'Transfer-Encoding', 'Chunked'], { host: 'a.example', path: '/', hasBody: true }],
  ])('%s %j', (target, headers, expected) => {
    expect(head(target, headers)).toMatchObject(expected);
  });

  test('OPTIONS * is the only one with *', () => {
    expect(head('*', HOST, { method: 'OPTIONS' }).path).toBe('*');
    expect(() => head('*', HOST)).toThrow('the target must be a path');
    expect(head('http://b.example', HOST, { method: 'OPTIONS' }).path).toBe('*'); // RFC 9112 §3.2.4
    expect(head('http://b.example/', HOST, { method: 'OPTIONS' }).path).toBe('/');
  });
});

describe('what is refused', () => {
  test.each([
    ['INVALID_HOST', '/', []],
    ['INVALID_HOST', 'http://b.example', []],
    ['INVALID_HOST', '/', [...HOST, 'host', 'a.example']],
    ['BAD_REQUEST', 'a/b', HOST],
    ['BAD_REQUEST', 'ftp://a.example/', HOST],
    ['BAD_REQUEST', 'https://a.example/', HOST],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '010']],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '+1']],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '1, 1']],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '']],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '1', 'content-LENGTH', '1']],
    ['BAD_REQUEST', '/', [...HOST, 'Content-Length', '1', 'Transfer-Encoding', 'chunked']],
    ['BAD_REQUEST', '/', [...HOST, 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['BAD_REQUEST', '/', [...HOST, 'Transfer-Encoding', ',chunked']],
    ['BAD_REQUEST', '/', [...HOST, 'Transfer-Encoding', 'identity, chunked']],
    ['BAD_REQUEST', '/', [...HOST, 'Transfer-Encoding', 'gzip']],
    ['BODY_TOO_LARGE', '/', [...HOST, 'Content-Length', '101']],
    ['TARGET_TOO_LONG', `/${'x'.repeat(20)}`, HOST],
    ['HEADERS_TOO_LARGE', '/', [...HOST, ...HOST, ...HOST, ...HOST, ...HOST]],
  ])('%s: %s %j', (code, target, headers) => {
    expect(() => head(target, headers)).toThrow(expect.objectContaining({ code }));
  });

  test('other versions of HTTP, and chunks in 1.0', () => {
    expect(() => head('/', HOST, { major: 2, minor: 0 })).toThrow('HTTP/2.0 is not spoken here');
    expect(() => head('/', HOST, { minor: 2 })).toThrow('HTTP/1.2 is not spoken here');
    expect(() => head('/', [...HOST, 'Transfer-Encoding', 'chunked'], { minor: 0 })).toThrow(
      'HTTP/1.0 has no Transfer-Encoding',
    );
  });
});
