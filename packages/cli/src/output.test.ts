import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ago, shortId, show, span, table, tell } from './output.ts';

const said = { out: '', err: '' };
const { stdout: out, stderr: err } = process;

beforeEach(() => {
  vi.stubEnv('NO_COLOR', '1');
  Object.assign(said, { out: '', err: '' });
  for (const [name, stream] of [['out', out] as const, ['err', err] as const]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test('a result is text, or JSON; progress is for people only', () => {
  show({ json: false, out, err }, { a: 1 }, () => 'one');
  tell({ json: false, out, err }, 'on the way');
  expect(said).toEqual({ out: 'one\n', err: 'on the way\n' });
  Object.assign(said, { out: '', err: '' });
  show({ json: true, out, err }, { a: 1 }, () => 'never');
  tell({ json: true, out, err }, 'never');
  expect(said).toEqual({ out: '{\n  "a": 1\n}\n', err: '' });
});

test('columns are as wide as what is widest in them, and lines end with what they say', () => {
  const rows = [
    ['a', 'long cell', 'x'],
    ['longer', '', ''],
  ];
  const text = table(['ONE', 'TWO', 'THREE'], rows, out);
  expect(text.split('\n')).toEqual(['ONE     TWO        THREE', 'a       long cell  x', 'longer']);
  expect(table(['ONE'], [], out)).toBe('ONE');
});

const MINUTE = 60_000;
test.each([
  [-5, '0 s'],
  [1_400, '1 s'],
  [99_400, '99 s'],
  [100_000, '2 min'],
  [99 * MINUTE, '99 min'],
  [100 * MINUTE, '2 h'],
  [47 * 60 * MINUTE, '47 h'],
  [48 * 60 * MINUTE, '2 d'],
])('%d ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('a time is so long ago, and an id as long as Docker shows it', () => {
  const now = Date.parse('2026-01-01T00:01:00Z');
  expect(ago('2026-01-01T00:00:00Z', now)).toBe('60 s ago');
  expect(shortId('0123456789abcdef')).toBe('0123456789ab');
});
