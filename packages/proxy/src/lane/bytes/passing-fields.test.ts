import { expect, test } from 'vitest';
import { HeadScan } from './head-scan.ts';
import { PassingFields } from './passing-fields.ts';

const HEAD = 'GET / HTTP/1.1\r\nA: 1\r\nB:2\r\nC:  3\r\nD:\r\nE: 5\r\n\r\n';
const START = 3;
const bytes = Buffer.from(`abc${HEAD}`);

function lines(fate: (field: string) => 'pass' | 'drop' | 'trusted', trusted = false): string {
  const scan = new HeadScan(5);
  const passing = new PassingFields(5);
  scan.request(bytes, START);
  for (const [i, name] of ['A', 'B', 'C', 'D', 'E'].entries()) {
    const is = fate(name);
    if (is === 'drop') passing.drop(i);
    else if (is === 'trusted') passing.dropUnlessTrusted(bytes, i, scan);
    else passing.pass(bytes, i, scan);
  }
  return passing.lines(HEAD, START, scan, trusted);
}

test('all that pass have one space after the colon', () => {
  expect(lines(() => 'pass')).toBe('A: 1\r\nB: 2\r\nC: 3\r\nD: \r\nE: 5\r\n');
});

test.each([
  ['A', 'B: 2\r\nC: 3\r\nD: \r\nE: 5\r\n'],
  ['BC', 'A: 1\r\nD: \r\nE: 5\r\n'],
  ['DE', 'A: 1\r\nB: 2\r\nC: 3\r\n'],
  ['ABCDE', ''],
])('without %s', (dropped, expected) => {
  expect(lines((name) => (dropped.includes(name) ? 'drop' : 'pass'))).toBe(expected);
  expect(lines((name) => (dropped.includes(name) ? 'trusted' : 'pass'))).toBe(expected);
  expect(lines((name) => (dropped.includes(name) ? 'trusted' : 'pass'), true)).toBe(lines(() => 'pass'));
});
