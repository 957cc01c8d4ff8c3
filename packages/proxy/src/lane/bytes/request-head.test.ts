import { expect, test } from 'vitest';
import { ASIDE, DONE, MORE, OTHER } from './head-scan.ts';
import { RequestHead } from './request-head.ts';

const head = new RequestHead(20);
const read = (fields: string, line = 'GET / HTTP/1.1') =>
  head.read(Buffer.from(`${line}\r\n${fields.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1'), 0);

test('a plain request', () => {
  expect(
    read(
      'Host: a.test:80\nContent-Length: 12\nVia: 1.1 a\nvia: 1.0 b\nX-Request-Id: 7',
      'POST /a?b HTTP/1.1',
    ),
  ).toBe(DONE);
  expect(head).toMatchObject({
    method: 'POST',
    target: '/a?b',
    host: 'a.test:80',
    length: 12,
    hasBody: true,
    chunked: false,
    via: '1.1 a, 1.0 b',
    requestId: '7',
    fields: 5,
  });
  expect(head.end).toBe(head.text.length);
  expect(read('Host: a')).toBe(DONE);
  expect(head).toMatchObject({ length: 0, hasBody: false, via: undefined, requestId: undefined });
});

test.each([
  ['X-A: 1', OTHER],
  ['Host: a\nHost: a', OTHER],
  ['Host: a\nContent-Length: 0', DONE],
  ['Host: a\nContent-Length: 1\nContent-Length: 1', OTHER],
  ['Host: a\nContent-Length: 01', OTHER],
  ['Host: a\nContent-Length:', OTHER],
  ['Host: a\nTransfer-Encoding: chunked', ASIDE],
  ['Host: a\nTransfer-Encoding: Chunked', OTHER],
  ['Host: a\nTransfer-Encoding: gzip, chunked', OTHER],
  ['Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked', OTHER],
  ['Host: a\nTransfer-Encoding: chunked\nContent-Length: 1', OTHER],
  ['Host: a\nContent-Length: 1\nTransfer-Encoding: chunked', OTHER],
  ['Host: a\nContent-Length: 1\nExpect: 100-continue', ASIDE],
  ['Host: a\nTE: trailers', ASIDE],
  ['Host: a\nTrailer: X-A', ASIDE],
  ['Host: a\nUpgrade: h2c', OTHER],
  ['Host: a\nHTTP2-Settings: x', OTHER],
  ['Host: a\nConnection: Keep-Alive', DONE],
  ['Host: a\nConnection: close', OTHER],
  ['Host: a\nConnection: keep-alive, x-a', OTHER],
  ['Host: a\nConnection:', OTHER],
  ['Host: a\nProxy-Connection: keep-alive', DONE],
  ['Host: a\nProxy-Connection: close', OTHER],
  ['Host: a\nKeep-Alive: 300', DONE],
  ['Host: a\nX-Request-Id: 1\nX-Request-Id: 2', OTHER],
  ['Host: a\nMax-Forwards: 1', DONE],
  ['Host: a\nExpect: 100-continue\nUpgrade: h2c', OTHER],
] as const)('%j is %d', (fields, verdict) => {
  expect(read(fields)).toBe(verdict);
});

test('an OPTIONS that counts its hops goes aside', () => {
  expect(read('Host: a\nMax-Forwards: 1', 'OPTIONS / HTTP/1.1')).toBe(ASIDE);
});

test('half a head is not known yet', () => {
  expect(head.read(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n'), 0)).toBe(MORE);
});
