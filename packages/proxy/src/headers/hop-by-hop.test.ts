import { expect, test } from 'vitest';
import { isHopByHop, isHopByHopName, isKeptAlive, namedByConnection } from './hop-by-hop.ts';

test.each([
  ['Connection', true],
  ['TE', true],
  ['Upgrade', true],
  ['Trailer', false], // RFC 9110 §7.6.1 does not name it
  ['X-Connection', false],
])('%s is for one connection only: %s', (name, expected) => {
  expect(isHopByHop(name.toLowerCase())).toBe(expected);
  expect([isHopByHopName(name), isHopByHopName(name)]).toEqual([expected, expected]);
});

test.each([
  [undefined, undefined],
  ['close', undefined],
  ['Close', undefined],
  ['keep-alive, X-Own', ['x-own']],
  [' X-A ,, x-b', ['x-a', 'x-b']],
  ['Host, Content-Length', undefined], // without them a message would be another one
])('Connection: %s names %j', (connection, names) => {
  expect(namedByConnection(connection)).toEqual(names && new Set(names));
});

test.each([
  [undefined, false],
  ['keep-alive', true],
  ['X-A , Keep-Alive', true],
  ['keep-alive-not', false],
  ['close, keep-alive', false],
])('HTTP/1.0 with Connection: %s asks for keep-alive: %s', (connection, expected) => {
  expect(isKeptAlive(connection)).toBe(expected);
});
