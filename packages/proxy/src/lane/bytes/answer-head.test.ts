import { expect, test } from 'vitest';
import { AnswerHead } from './answer-head.ts';
import { DONE, MORE, OTHER } from './head-scan.ts';

const head = new AnswerHead(20, () => 'now');
const read = (fields: string, line = 'HTTP/1.1 200 OK', bodiless = false) =>
  head.read(Buffer.from(`${line}\r\n${fields.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1'), 0, bodiless);

test.each([
  ['Content-Length: 5', { length: 5, chunked: false, close: false }],
  ['Content-Length: 5\nConnection: Close', { length: 5, close: true }],
  ['Transfer-Encoding: chunked', { length: -1, chunked: true, close: false }],
  ['Transfer-Encoding: Chunked\nConnection: keep-alive', { length: -1, chunked: true, close: false }],
  ['X-A: 1', { length: -1, chunked: false, close: true }],
  ['X-A: 1\nDate: then', { hasDate: true }],
  ['Keep-Alive: timeout=5, max=9', { keepAliveSeconds: 5 }],
])('an answer with %j', (fields, expected) => {
  expect(read(fields)).toBe(DONE);
  expect(head).toMatchObject({ status: 200, hasDate: false, keepAliveSeconds: -1, ...expected });
});

test.each([
  ['HTTP/1.0 200 OK', 'Content-Length: 5', { length: 5, close: true }],
  ['HTTP/1.0 200 OK', 'Content-Length: 5\nConnection: keep-alive', { length: 5, close: false }],
  ['HTTP/1.1 204 No Content', 'Content-Length: 0', { length: 0, close: false }],
  ['HTTP/1.1 204 No Content', 'Content-Length: 5', { length: 0, close: true }],
  ['HTTP/1.1 304 Not Modified', 'X-A: 1', { length: 0, chunked: false, close: false }],
  ['HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked', { length: 0, chunked: false, close: true }],
])('%s with %j', (line, fields, expected) => {
  expect(read(fields, line)).toBe(DONE);
  expect(head).toMatchObject(expected);
});

test('an informational answer is followed by another', () => {
  expect(read('Link: </a>', 'HTTP/1.1 103 Early Hints')).toBe(DONE);
  expect(head).toMatchObject({ status: 103, isInterim: true });
  expect(head.rawHeaders()).toEqual(['Link', '</a>']);
});

test('an answer to HEAD has no body, and undici keeps no connection after it', () => {
  expect(read('Content-Length: 5', 'HTTP/1.1 200 OK', true)).toBe(DONE);
  expect(head).toMatchObject({ length: 0, chunked: false, close: true });
});

test.each([
  ['X-A: 1', 'HTTP/1.1 099 Low'],
  ['X-A: 1', 'HTTP/1.1 101 Switching Protocols'],
  ['Connection: close', 'HTTP/1.1 103 Early Hints'],
  ['Content-Length: 5', 'HTTP/1.1 103 Early Hints'],
  ['X-A: 1', 'HTTP/1.1 200 \xe9'],
  ['Transfer-Encoding: chunked', 'HTTP/1.0 200 OK'],
  ['Content-Length: 5\nContent-Length: 5', undefined],
  ['Content-Length: 05', undefined],
  ['Content-Length: 5\nTransfer-Encoding: chunked', undefined],
  ['Transfer-Encoding: chunked\nContent-Length: 5', undefined],
  ['Transfer-Encoding: gzip', undefined],
  ['Transfer-Encoding: chunked\nTransfer-Encoding: chunked', undefined],
  ['Connection: upgrade', undefined],
  ['Connection: close, x-a', undefined],
  ['Connection: close\nConnection: close', undefined],
  ['Proxy-Connection: close', undefined],
  ['Trailer: X-A', undefined],
  ['Expect: 100-continue', undefined],
  ['Content-Length: 5\nContent-Disposition: attachment; filename=\xe9', undefined],
])('%j of %s is not for us', (fields, line) => {
  expect(read(fields, line)).toBe(OTHER);
});

test('a head that is too large for undici is not for us, whole or half', () => {
  expect(read(`X-A: ${'a'.repeat(16_300)}`)).toBe(DONE);
  expect(read(`X-A: ${'a'.repeat(16_400)}`)).toBe(OTHER);
  expect(head.read(Buffer.from(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(16_300)}`), 0, false)).toBe(MORE);
  expect(head.read(Buffer.from(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(16_400)}`), 0, false)).toBe(OTHER);
});

test('half a head is not known yet', () => {
  expect(head.read(Buffer.from('HTTP/1.1 200 OK\r\n'), 0, false)).toBe(MORE);
});
