import { expect, test } from 'vitest';
import { InterimAnswers } from './instance-socket.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\nHTTP/1.1 100 in the body is left alone!';

/** The result if the bytes arrive in pieces. */
function rewritten(pieces: readonly string[]): string {
  const interim = new InterimAnswers();
  let reading = true;
  return pieces
    .map((piece) => {
      const chunk = Buffer.from(piece, 'latin1');
      if (reading) reading = interim.rewrite(chunk);
      return chunk.toString('latin1');
    })
    .join('');
}

test.each([
  [`HTTP/1.1 100 Continue\r\n\r\n${OK}`, `HTTP/1.1 102 Continue\r\n\r\n${OK}`],
  [`HTTP/1.1 100\r\nX-A: 1\r\n\r\n${OK}`, `HTTP/1.1 102\r\nX-A: 1\r\n\r\n${OK}`],
  [
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 100 X\r\n\r\nHTTP/1.1 100 Y\r\n\r\n${OK}`,
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 102 X\r\n\r\nHTTP/1.1 102 Y\r\n\r\n${OK}`,
  ],
  [
    `HTTP/1.1 110 Odd\r\n\r\nHTTP/1.1 101 Odd\r\n\r\n${OK}`,
    `HTTP/1.1 110 Odd\r\n\r\nHTTP/1.1 101 Odd\r\n\r\n${OK}`,
  ],
  [`\r\nHTTP/1.1 100 Continue\n\n${OK}`, `\r\nHTTP/1.1 102 Continue\n\n${OK}`],
  [OK, OK],
  ['garbage', 'garbage'],
  ['', ''],
])('%j: whole, and split at each byte', (answer, expected) => {
  expect(rewritten([answer])).toBe(expected);
  expect(rewritten([...answer])).toBe(expected);
  for (let at = 1; at < answer.length; at++) {
    expect(rewritten([answer.slice(0, at), answer.slice(at)])).toBe(expected);
  }
});
