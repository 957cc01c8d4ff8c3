import { expect, test } from 'vitest';
import { FieldNames, spell } from './field-names.ts';

const names = new FieldNames<1 | 2 | 3>([
  ['te', 1],
  ['x-a1', 2],
  ['x-b1', 3],
]);
const meaningOf = (name: string) => names.meaningOf(Buffer.from(`:${name}:`), 1, 1 + name.length);

test.each([
  ['te', 1],
  ['TE', 1],
  ['Te', 1],
  ['x-a1', 2],
  ['X-B1', 3],
  ['X-C1', 0],
  ['tea', 0],
  ['x_a1', 0],
  ['X-A!', 0],
  ['4e', 0],
  ['x'.repeat(200), 0],
])('%s means %d', (name, meaning) => {
  expect(meaningOf(name)).toBe(meaning);
});

test.each([
  ['keep-alive', true],
  ['Keep-Alive', true],
  ['KEEP-ALIVE', true],
  ['keep-aliv', false],
  ['keep-alive ', false],
  ['keep\ralive', false],
  ['\x4beep-alive', true],
  ['\x0beep-alive', false],
])('%j spells keep-alive: %s', (value, expected) => {
  const bytes = Buffer.from(value, 'latin1');
  expect(spell(bytes, 0, bytes.length, Buffer.from('keep-alive'))).toBe(expected);
});
