import { describe, expect, test } from 'vitest';
import { parseHost } from './host.ts';

describe('parseHost', () => {
  test.each([
    ['golang.cless.cloud', 'golang.cless.cloud', 'name'],
    ['GoLang.CLESS.cloud', 'golang.cless.cloud', 'name'],
    ['golang.cless.cloud:8080', 'golang.cless.cloud', 'name'],
    ['golang.cless.cloud:', 'golang.cless.cloud', 'name'],
    ['golang.cless.cloud.', 'golang.cless.cloud', 'name'],
    ['golang.cless.cloud.:80', 'golang.cless.cloud', 'name'],
    ['localhost', 'localhost', 'name'],
    ['1password.example', '1password.example', 'name'],
    ['bücher.example', 'xn--bcher-kva.example', 'name'],
    ['BÜCHER.example', 'xn--bcher-kva.example', 'name'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'name'],
    ['127.0.0.1:80', '127.0.0.1', 'ipv4'],
    ['[::1]', '::1', 'ipv6'],
    ['[2001:DB8:0:0::1]:443', '2001:db8::1', 'ipv6'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, 'name'],
  ])('%s is %s', (value, name, kind) => {
    expect(parseHost(value)).toEqual({ name, kind });
  });

  test.each([
    ['', 'it is empty'],
    [':80', 'it is empty'],
    ['.', 'a label is empty'],
    ['.example', 'a label is empty'],
    ['a..example', 'a label is empty'],
    ['a.example..', 'a label is empty'],
    [`${'a'.repeat(64)}.example`, 'a label is longer than 63 characters'],
    [`${'a.'.repeat(127)}a`, 'longer than 253 characters'],
    ['-a.example', 'labels are letters, digits and inner hyphens'],
    ['a-.example', 'labels are letters, digits and inner hyphens'],
    ['a_b.example', 'labels are letters, digits and inner hyphens'],
    ['a b.example', 'labels are letters, digits and inner hyphens'],
    ['user@a.example', 'labels are letters, digits and inner hyphens'],
    ['a.example/path', 'labels are letters, digits and inner hyphens'],
    ['%67olang.example', 'labels are letters, digits and inner hyphens'],
    ['*.example', 'labels are letters, digits and inner hyphens'],
    ['a\u0000.example', 'labels are letters, digits and inner hyphens'],
    ['a.example:80:80', 'the port is not a number up to 65535'],
    ['a.example:http', 'the port is not a number up to 65535'],
    ['a.example:65536', 'the port is not a number up to 65535'],
    ['127.1', 'it ends in a number but is no IPv4 address'],
    ['0x7f.0x1', 'it ends in a number but is no IPv4 address'],
    ['a.1', 'it ends in a number but is no IPv4 address'],
    ['300.0.0.1', 'it ends in a number but is no IPv4 address'],
    ['[::1', 'no IPv6 address in brackets'],
    ['[::1%25eth0]', 'no IPv6 address in brackets'],
    ['[v1.x]', 'no IPv6 address in brackets'],
    ['[::1]x', 'the port is not a number up to 65535'],
    ['::1', 'the port is not a number up to 65535'],
    ['a\u00adb\uFFFF.example', 'no valid IDN'],
  ])('%j is refused: %s', (value, reason) => {
    expect(() => parseHost(value)).toThrow(expect.objectContaining({ code: 'INVALID_HOST' }));
    try {
      parseHost(value);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_HOST', reason });
    }
  });

  test('a full-width address does not become an address behind our back', () => {
    expect(parseHost('１２７.0.0.1')).toEqual({ name: '127.0.0.1', kind: 'ipv4' });
  });
});
