import { expect, test } from 'vitest';
import { FakeOutgoing } from '../exchange/fake-exchange.ts';
import { passHintsOn } from './hints.ts';

function passed(headers: string[], { status = 103, sent = false } = {}) {
  const outgoing = new FakeOutgoing();
  if (sent) outgoing.sendHead(200, undefined, []);
  passHintsOn(outgoing, status, headers);
  return outgoing.hints;
}

const LINK = ['Link', '<a.avif>; rel=preload; imagesrcset="a.avif 1x, b.avif 2x"'];

test('links go on as they are', () => {
  expect(passed([...LINK, 'X-A', '1'])).toEqual([[...LINK, 'X-A', '1']]);
});

test('what is for one connection, or would frame, does not', () => {
  expect(passed([...LINK, 'Connection', 'close', 'Content-Length', '3'])).toEqual([LINK]);
});

test.each([
  ['another status', LINK, { status: 102 }],
  ['after the answer has begun', LINK, { sent: true }],
  ['without a link', ['X-A', '1'], {}],
  ['a name that is none', [...LINK, 'X A', '1'], {}],
  ['a value that is none', [...LINK, 'X-A', 'a\nb'], {}],
])('nothing is sent: %s', (_, headers, options) => {
  expect(passed(headers, options)).toEqual([]);
});
