import { describe, expect, test } from 'vitest';
import { connectFailed, wasClosed } from './forward-error.ts';

const failed = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('a connection that could not be made', () => {
  test.each([
    ['ECONNREFUSED', 'UPSTREAM_DISCONNECTED'],
    ['EHOSTUNREACH', 'UPSTREAM_DISCONNECTED'],
    ['EMFILE', 'NO_FREE_SOCKET'],
    ['ENFILE', 'NO_FREE_SOCKET'],
  ])('%s is %s: whose fault it is is told', (code, expected) => {
    expect(connectFailed(failed(code))).toMatchObject({ code: expected, reached: 'unsent' });
  });
});

test.each([
  ['ECONNRESET', true],
  ['EPIPE', true],
  ['UND_ERR_SOCKET', true],
  ['UND_ERR_HEADERS_TIMEOUT', false],
  ['HPE_INVALID_CONSTANT', false],
])('%s: closed by the other side is %s', (code, closed) => {
  expect(wasClosed(failed(code))).toBe(closed);
});
