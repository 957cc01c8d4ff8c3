import { expect, test } from 'vitest';
import { headBytes } from './request-bytes.ts';

const HEAD = {
  method: 'GET',
  url: '/a?b',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'web.test', 'UPGRADE', 'h2c', 'X-A', 'é', 'x-a', ''],
};

test('a head is written as it was read: each header, its case, its bytes', () => {
  expect(headBytes(HEAD).toString('latin1')).toBe(
    'GET /a?b HTTP/1.1\r\nHost: web.test\r\nUPGRADE: h2c\r\nX-A: é\r\nx-a: \r\n\r\n',
  );
});

test('headers that are not wanted are left out', () => {
  expect(headBytes(HEAD, /^upgrade$/i).toString('latin1')).not.toMatch(/upgrade/i);
});
