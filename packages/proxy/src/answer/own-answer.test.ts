import { expect, test } from 'vitest';
import { FakeIncoming, FakeOutgoing } from '../exchange/fake-exchange.ts';
import { sendOwnAnswer } from './own-answer.ts';

function sent(method: string, status: number, body: string, headers: string[] = []) {
  const outgoing = new FakeOutgoing();
  sendOwnAnswer(
    new FakeIncoming({ method }),
    outgoing,
    { status, contentType: 'text/plain', body },
    'r1',
    headers,
  );
  return outgoing;
}

test('the length is counted in bytes, and nobody keeps the answer', () => {
  const outgoing = sent('GET', 200, 'ö', ['Retry-After', '5']);
  expect(outgoing.headers).toEqual([
    'Content-Type',
    'text/plain',
    'Content-Length',
    '2',
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    'r1',
    'Retry-After',
    '5',
  ]);
  expect([outgoing.body, outgoing.writableEnded]).toEqual(['ö', true]);
});

test('to a HEAD the body is left out, and of a 204 the length', () => {
  expect(sent('HEAD', 200, 'abc')).toMatchObject({ body: '', writableEnded: true });
  expect(sent('HEAD', 200, 'abc').header('content-length')).toBe('3');
  expect(sent('GET', 204, '').header('content-length')).toBeUndefined();
});
