import { describe, expect, test } from 'vitest';
import { FakeOutgoing } from '../exchange/fake-exchange.ts';
import { sendAnswerHead } from './answer-head.ts';

const ADDED = ['X-Request-Id', 'ours'];

function sent(headers: string[], { status = 200, reason = 'OK', takesTrailers = true } = {}) {
  const outgoing = Object.assign(new FakeOutgoing(), { takesTrailers });
  const framing = sendAnswerHead(outgoing, status, reason, headers, ADDED);
  return { framing, outgoing, headers: outgoing.headers.slice(0, -2), added: outgoing.headers.slice(-2) };
}

test('headers go on as they are written and in their order, ours behind them', () => {
  const given = ['X-A', '1', 'set-cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '2'];
  const { headers, added, framing } = sent(given);
  expect([headers, added, framing]).toEqual([given, ADDED, 2]);
});

test('what is for one connection stays behind, also what Connection names', () => {
  const { headers } = sent([
    'Connection',
    'X-Own, close',
    'Keep-Alive',
    'timeout=5',
    'x-own',
    '1',
    'X-B',
    '2',
  ]);
  expect(headers).toEqual(['X-B', '2']);
});

test('the request id of an instance is replaced by ours', () => {
  expect(sent(['x-request-id', 'theirs']).headers).toEqual([]);
});

describe('where the body ends', () => {
  test.each([
    [['Content-Length', '0'], 0],
    [['Content-Length', ' 5 '], 5],
    [['Transfer-Encoding', ' Chunked'], 'chunked'],
    [[], 'connection'],
  ])('%j: %s', (headers, framing) => {
    expect(sent(headers).framing).toBe(framing);
  });

  test.each([
    [['Content-Length', '1', 'Content-Length', '1']],
    [['Content-Length', '01']],
    [['Content-Length', '+1']],
    [['Content-Length', '9'.repeat(16)]],
    [['Transfer-Encoding', 'gzip, chunked']],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
  ])('%j is not certain, and nothing is sent', (headers) => {
    const outgoing = new FakeOutgoing();
    expect(() => sendAnswerHead(outgoing, 200, 'OK', headers, ADDED)).toThrow();
    expect(outgoing.status).toBeUndefined();
  });
});

test('a 204 has no length (RFC 9110 §8.6)', () => {
  expect(sent(['Content-Length', '0'], { status: 204 }).headers).toEqual([]);
});

test.each([101, 199, 1000])('%i is no status of an answer', (status) => {
  expect(() => sent([], { status })).toThrow(`status ${status}`);
});

test('a reason that is none of HTTP is left out', () => {
  expect(sent([], { reason: 'Très bien' }).outgoing.reason).toBe('Très bien');
  expect(sent([], { reason: 'a\r\nb' }).outgoing.reason).toBe('');
});

test.each([
  ['in chunks', 200, true, true],
  ['to whom cannot have them', 200, false, false],
  ['without a body', 304, true, false],
])('Trailer goes on where trailers may follow: %s', (_, status, takesTrailers, goesOn) => {
  const given = ['Trailer', 'X-Sum', 'Transfer-Encoding', 'chunked'];
  expect(sent(given, { status, takesTrailers }).headers).toEqual(goesOn ? ['Trailer', 'X-Sum'] : []);
});
