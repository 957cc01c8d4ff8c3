import { expect, test } from 'vitest';
import { FakeOutgoing } from '../exchange/fake-exchange.ts';
import { passTrailersOn } from './trailers.ts';

test('what would frame, route or authorize is no trailer', () => {
  const outgoing = new FakeOutgoing();
  passTrailersOn(outgoing, [
    'X-Sum',
    '1',
    'Set-Cookie',
    'a=1',
    'content-length',
    '3',
    'Connection',
    'x',
    'x-b',
    '2',
  ]);
  expect(outgoing.trailers).toEqual(['X-Sum', '1', 'x-b', '2']);
});
