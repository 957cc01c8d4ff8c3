import { expect, test } from 'vitest';
import { clientAddress, TrustedProxies } from './trusted-proxies.ts';

const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);

test.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['192.0.2.1', true],
  ['192.0.2.2', false],
  ['2001:db8::7', true],
  ['2001:db9::7', false],
  [undefined, false],
])('%s is believed: %s', (remoteAddress, expected) => {
  const peer = { remoteAddress };
  expect([trusted.trusts(peer), trusted.trusts(peer)]).toEqual([expected, expected]);
});

test('nobody is where none is named', () => {
  expect(new TrustedProxies([]).trusts({ remoteAddress: '127.0.0.1' })).toBe(false);
});

test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0', 'proxy.test', '::1/129'])('%s is none', (entry) => {
  expect(() => new TrustedProxies([entry])).toThrow('neither an address nor a network');
});

test('an IPv4 address over IPv6 is shown as what it is', () => {
  expect(clientAddress({ remoteAddress: '::ffff:192.0.2.7' })).toBe('192.0.2.7');
  expect(clientAddress({})).toBe('0.0.0.0');
});
