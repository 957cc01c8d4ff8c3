import { expect, test } from 'vitest';
import { ChunkWalk } from './chunk-walk.ts';

interface Walked {
  readonly consumed: number;
  readonly data: string;
  readonly ended: boolean;
  readonly plain: boolean;
  readonly trailers: string | undefined;
}

/** @param split where the bytes are read in two */
function walk(text: string, split = text.length): Walked {
  const chunks = new ChunkWalk();
  chunks.reset();
  const bytes = Buffer.from(text, 'latin1');
  let data = '';
  let consumed = 0;
  for (const [from, to] of [
    [0, split],
    [split, bytes.length],
  ] as const) {
    const took = chunks.walk(bytes, from, to, (start, end) => {
      data += bytes.toString('latin1', start, end);
    });
    consumed = took === -1 ? -1 : consumed + took;
    if (took === -1) break;
  }
  const { ended, plain, trailers } = chunks;
  return { consumed, data, ended, plain, trailers: trailers?.toString('latin1') };
}

const LAST = '0\r\n\r\n';

test.each([
  [`5\r\nhello\r\nA\r\n0123456789\r\n${LAST}`, 'hello0123456789', true, undefined],
  [`0000000a\r\n0123456789\r\n000\r\n\r\n`, '0123456789', true, undefined],
  [LAST, '', true, undefined],
  [`1;a;b=c;d="e\\"\xe9;\t"\r\nx\r\n${LAST}`, 'x', false, undefined],
  ['1\r\nx\r\n0\r\nX-A: 1\r\nX-B:\r\n\r\n', 'x', false, 'X-A: 1\r\nX-B:\r\n'],
  ['1\r\nx\r\n0;a\r\n\r\n', 'x', false, undefined],
])('%j has the data %j, wherever it is split', (text, data, plain, trailers) => {
  for (let split = 0; split <= text.length; split++) {
    expect(walk(`${text}GET /`, split)).toEqual({
      consumed: text.length,
      data,
      ended: true,
      plain,
      trailers,
    });
  }
});

test.each([
  '',
  '5',
  '5\r',
  '5\r\nhel',
  '5\r\nhello',
  '5\r\nhello\r\n',
  '0\r\n',
  '0\r\nX-A: 1\r\n',
  '0\r\n\r',
])('%j is incomplete', (text) => {
  expect(walk(text)).toMatchObject({ consumed: text.length, ended: false, trailers: undefined });
});

test.each([
  '\r\n',
  '-1\r\n',
  '+1\r\n',
  '0x1\r\n',
  ' 1\r\n',
  '1 \r\n',
  '1\n',
  '1\r\r',
  'g\r\n',
  '000000001\r\n',
  '1;\r\n',
  '1; a\r\n',
  '1;a=\x01\r\n',
  '1;a="b\r\n',
  `1;${'a'.repeat(5_000)}\r\n`,
  '1\r\nxy',
  '1\r\nx\n',
  '1\r\nx\r\r',
  '0\r\n\n',
  '0\r\n\rx',
  '0\r\nX-A : 1\r\n',
  '0\r\nX-A\r\n',
  '0\r\n X-A: 1\r\n',
  '0\r\nX-A: 1\n',
  '0\r\nContent-Length: 1\r\n',
  '0\r\ntransfer-encoding: chunked\r\n',
  '0\r\nX-A: 1\r\n folded\r\n',
  `0\r\nX-A: ${'a'.repeat(20_000)}\r\n`,
])('%j is not valid', (text) => {
  expect(walk(text).consumed).toBe(-1);
  expect(walk(text, 1).consumed).toBe(-1);
});

test('it can be used again', () => {
  const chunks = new ChunkWalk();
  const bytes = Buffer.from('1;a\r\nx\r\n0\r\nX-A: 1\r\n\r\n');
  for (let i = 0; i < 2; i++) {
    chunks.reset();
    expect(chunks.plain).toBe(true);
    expect(chunks.walk(bytes, 0, bytes.length, () => {})).toBe(bytes.length);
    expect(chunks.trailers?.toString()).toBe('X-A: 1\r\n');
  }
});
