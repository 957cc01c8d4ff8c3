import { describe, expect, test } from 'vitest';
import { DONE, decimalIn, HeadScan, MORE, OTHER, PER_FIELD } from './head-scan.ts';

const scan = new HeadScan(4);
const request = (text: string) => scan.request(Buffer.from(text, 'latin1'), 0);
const answer = (text: string) => scan.answer(Buffer.from(text, 'latin1'), 0);

/** Names and values of the head that has been read. */
function fieldsIn(text: string): string[] {
  const offsets = [...scan.offsets.subarray(0, scan.fields * PER_FIELD)];
  return offsets.filter((_, i) => i % 2 === 0).map((from, i) => text.slice(from, offsets[2 * i + 1]));
}

describe('a request', () => {
  const HEAD = 'PATCH /a?b=%20 HTTP/1.1\r\nHost: a.test\r\nX-A:1\r\nX-B: \t2 \t\xe9\r\nX-C:\r\n\r\n';

  test('is found wherever it begins', () => {
    const before = 'GET';
    expect(scan.request(Buffer.from(before + HEAD + HEAD, 'latin1'), before.length)).toBe(DONE);
    expect(scan.method).toBe('PATCH');
    expect([scan.methodEnd, scan.targetStart, scan.targetEnd, scan.end]).toEqual(
      [5, 6, 14, HEAD.length].map((at) => at + before.length),
    );
    expect(fieldsIn(before + HEAD)).toEqual(['Host', 'a.test', 'X-A', '1', 'X-B', '2 \t\xe9', 'X-C', '']);
  });

  test('is incomplete at every byte before its end', () => {
    for (let end = 0; end < HEAD.length; end++)
      expect([end, request(HEAD.slice(0, end))]).toEqual([end, MORE]);
    expect(request(HEAD)).toBe(DONE);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('may be a %s', (method) => {
    expect(request(`${method} / HTTP/1.1\r\n\r\n`)).toBe(DONE);
    expect(scan.method).toBe(method);
  });

  test.each([
    '\r\nGET / HTTP/1.1',
    'get / HTTP/1.1',
    'GETS / HTTP/1.1',
    'TRACE / HTTP/1.1',
    'PROPFIND / HTTP/1.1',
    'CONNECT a:1 HTTP/1.1',
    'PRI * HTTP/2.0',
    'OPTIONS * HTTP/1.1',
    'GET http://a/ HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET\t/ HTTP/1.1',
    'GET / HTTP/1.0',
    'GET / HTTP/1.1 ',
    'GET /  HTTP/1.1',
    'GET /a#b HTTP/1.1',
    'GET /a\x7f HTTP/1.1',
    'GET /\xe9 HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET / http/1.1',
    'GET / HTTP/1.1\n',
  ])('%j is not for us', (line) => {
    expect(request(`${line}\r\nHost: a\r\n\r\n`)).toBe(OTHER);
  });

  test.each([
    'X-A : 1',
    ' X-A: 1',
    '\tX-A: 1',
    'X-A: 1 ',
    'X-A: 1\t',
    'X_A: 1',
    'X-\xe9: 1',
    ': 1',
    'X-A',
    'X-A: a\nX-B: 1',
    'X-A: a\rX-B: 1',
    'X-A: a\0',
    'X-A: a\x7f',
    'X-A: 1\r\n folded',
    '1: \r\n2: \r\n3: \r\n4: \r\n5: ',
  ])('with %j is not for us', (line) => {
    expect(request(`GET / HTTP/1.1\r\n${line}\r\n\r\n`)).toBe(OTHER);
  });

  test('needs no field', () => {
    expect(request('GET / HTTP/1.1\r\n\r\n')).toBe(DONE);
    expect(scan.fields).toBe(0);
    expect(request('GET / HTTP/1.1\r\n\r\r')).toBe(OTHER);
  });
});

describe('an answer', () => {
  const HEAD = 'HTTP/1.0 404 Not Found\r\nX_A: 1\r\n\r\n';

  test('is found', () => {
    expect(answer(HEAD)).toBe(DONE);
    expect([scan.status, scan.minor, scan.end]).toEqual([404, 0, HEAD.length]);
    expect(HEAD.slice(scan.reasonStart, scan.reasonEnd)).toBe('Not Found');
    expect(fieldsIn(HEAD)).toEqual(['X_A', '1']);
  });

  test('is incomplete at every byte before its end', () => {
    for (let end = 0; end < HEAD.length; end++)
      expect([end, answer(HEAD.slice(0, end))]).toEqual([end, MORE]);
  });

  test('may give no reason', () => {
    expect(answer('HTTP/1.1 200 \r\n\r\n')).toBe(DONE);
    expect(scan.reasonEnd).toBe(scan.reasonStart);
  });

  test.each([
    'HTTP/1.1 200',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 200 O\rK',
  ])('%j is not for us', (line) => {
    expect(answer(`${line}\r\nX-A: 1\r\n\r\n`)).toBe(OTHER);
  });
});

test.each([
  ['0', 0],
  ['7', 7],
  ['10', 10],
  ['999999999999999', 999_999_999_999_999],
  ['', -1],
  ['00', -1],
  ['01', -1],
  ['+1', -1],
  ['1 ', -1],
  ['0x1', -1],
  ['1000000000000000', -1],
])('the number %j is %d', (text, expected) => {
  expect(decimalIn(Buffer.from(`1${text}1`), 1, 1 + text.length)).toBe(expected);
});
