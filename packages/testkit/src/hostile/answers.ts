/** Answers that an instance should never give: malformed, truncated, over-long and out of order. */
export const hostileAnswers: readonly string[] = [...answers()];

function* answers(): Generator<string> {
  const body = 'Content-Length: 2\r\n\r\nok';
  for (const line of [
    'HTTP/1.1 99 Low',
    'HTTP/1.1 000 Zero',
    'HTTP/1.1 099 Low',
    'HTTP/1.1 1000 High',
    'HTTP/1.1 -1 X',
    'HTTP/1.1 2OO OK',
    'HTTP/1.1 200',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x01K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 \xff\xfe',
    'HTTP/1.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/2 200',
    'HTTP/2.0 200 OK',
    'HTTP/9.9 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'HTTP 200 OK',
    'GET / HTTP/1.1',
    '200 OK',
    '',
    ' ',
    '\0',
    `HTTP/1.1 200 ${'x'.repeat(100_000)}`,
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 101 Switching Protocols',
    'HTTP/1.1 102 Processing',
    'HTTP/1.1 103 Early Hints',
    'HTTP/1.1 199 Odd',
    'HTTP/1.1 204 No Content',
    'HTTP/1.1 205 Reset',
    'HTTP/1.1 304 Not Modified',
    'HTTP/1.1 999 Wild',
  ])
    yield `${line}\r\n${body}`;
  for (const header of [
    'X-A',
    ': x',
    'X A: 1',
    'X-A : 1',
    ' X-A: 1',
    'X-A: a\0b',
    'X-A: a\rb',
    'X-A: a\nb',
    'X-A: a\x01b',
    'X-\xe9: 1',
    'X\0A: 1',
    `X-A: ${'a'.repeat(70_000)}`,
    `${'X'.repeat(70_000)}: 1`,
    Array.from({ length: 5_000 }, (_, i) => `X-${i}: 1`).join('\r\n'),
    'Content-Length: 1',
    'Content-Length: 3',
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Content-Length: 99999999999999999999',
    'Content-Length: 2, 2',
    'Content-Length:',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding:',
    'Transfer-Encoding: \0',
    'Connection: close',
    'Connection: upgrade\r\nUpgrade: websocket',
    'Connection: Content-Length',
    'Connection: \0',
    'Keep-Alive: timeout=0',
    'Keep-Alive: timeout=-1',
    'Keep-Alive: timeout=99999999999',
    'Trailer: X-Sum',
    'Upgrade: h2c',
    'Content-Encoding: gzip',
    'Set-Cookie: \x7f',
    'Date: never',
    'Folded: a\r\n b',
  ])
    yield `HTTP/1.1 200 OK\r\n${header}\r\n${body}`;
  for (const chunks of [
    '5\r\nhello\r\n',
    '5\r\nhel',
    '5\r\nhello',
    '0\r\n',
    '0',
    '',
    'g\r\nhello\r\n0\r\n\r\n',
    '-1\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    'ffffffffffffffff\r\n',
    '5;ext=1\r\nhello\r\n0\r\n\r\n',
    '5;\x00\r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
    '5\r\nhelloX\r\n0\r\n\r\n',
    '0\r\nContent-Length: 5\r\n\r\n',
    '0\r\nX-A\r\n\r\n',
    '0\r\nX-A: \0\r\n\r\n',
    `0\r\n${'X-A: 1\r\n'.repeat(3_000)}\r\n`,
    `${'1\r\nx\r\n'.repeat(20_000)}`,
    `0\r\n\r\nHTTP/1.1 200 OK\r\n${body}`,
  ])
    yield `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
  yield `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)}HTTP/1.1 200 OK\r\n${body}`;
  yield `${'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'.repeat(200)}HTTP/1.1 200 OK\r\n${body}`;
  yield `HTTP/1.1 200 OK\r\n${body}HTTP/1.1 200 OK\r\n${body}`;
  yield `HTTP/1.1 200 OK\r\n${body}garbage`;
  yield `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${'\x81\x05hello'.repeat(100)}`;
  const whole = `HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n0123456789`;
  for (let length = 1; length < whole.length; length += 4) yield whole.slice(0, length);
}

/** An answer that is cut somewhere. */
export interface CutAnswer {
  readonly bytes: string;
  readonly ending: 'end' | 'reset';
  /** The body if the answer is complete nevertheless; undefined if it is not, null if even the head is incomplete. */
  readonly body: string | undefined | null;
}

/** Six valid answers, cut at each byte and then ended or reset. */
export const cutAnswers: readonly CutAnswer[] = [...cuts()];

function* cuts(): Generator<CutAnswer> {
  const length = 'X-A: 1\r\nContent-Length: 10\r\n\r\n';
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
  const chunks = '4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\n';
  for (const [head, rest] of [
    [`HTTP/1.1 200 OK\r\n${length}`, '0123456789'],
    [`HTTP/1.1 200 OK\r\n${chunked}`, `${chunks}\r\n`],
    [`HTTP/1.1 200 OK\r\nConnection: close\r\nTrailer: X-Sum\r\n${chunked}`, `${chunks}X-Sum: 1\r\n\r\n`],
    [
      `HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${length}`,
      '0123456789',
    ],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', '0123456789'],
    ['HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\n', '0123456789'],
  ] as const) {
    const delimited = head.includes(length) || head.includes(chunked);
    for (let at = 0; at <= head.length + rest.length; at++) {
      for (const ending of ['end', 'reset'] as const) {
        const bytes = (head + rest).slice(0, at);
        const cut = at < head.length + rest.length;
        if (at < head.length) yield { bytes, ending, body: null };
        else if (delimited) yield { bytes, ending, body: cut ? undefined : '0123456789' };
        else yield { bytes, ending, body: ending === 'end' ? bytes.slice(head.length) : undefined };
      }
    }
  }
}
