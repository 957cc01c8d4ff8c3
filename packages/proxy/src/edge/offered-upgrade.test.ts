import { expect, test } from 'vitest';
import { offeredUpgrade } from './offered-upgrade.ts';

const WEB_SOCKET = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];

test.each([
  [WEB_SOCKET, 'websocket'],
  [['upgrade', 'a, websocket', 'Upgrade', 'b'], 'a, websocket, b'],
  [['Upgrade', 'h2c, websocket'], 'websocket'],
  [[...WEB_SOCKET, 'Content-Length', '0'], 'websocket'],
])('%j offers %s', (rawHeaders, expected) => {
  expect(offeredUpgrade({ rawHeaders, httpVersion: '1.1' })).toBe(expected);
});

test.each([
  ['HTTP/2 without TLS', ['Upgrade', 'h2c', 'HTTP2-Settings', 'AAMA']],
  ['TLS', ['Upgrade', 'TLS/1.2, TLS/1.3']],
  ['nothing', ['Upgrade', ' , ']],
  ['something behind a body', [...WEB_SOCKET, 'Content-Length', '4']],
  ['something behind chunks', [...WEB_SOCKET, 'Transfer-Encoding', 'chunked']],
])('an offer of %s is ignored', (_, rawHeaders) => {
  expect(offeredUpgrade({ rawHeaders, httpVersion: '1.1' })).toBeUndefined();
});

test('HTTP/1.0 knows none', () => {
  expect(offeredUpgrade({ rawHeaders: WEB_SOCKET, httpVersion: '1.0' })).toBeUndefined();
});
