import { expect, test } from 'vitest';
import {
  count,
  countOrNone,
  duration,
  durationOrNever,
  oneOf,
  parseAddress,
  parseHostnames,
  parseOwner,
  parsePaths,
  parsePortRange,
  parseSuffix,
  parseTrustedProxies,
} from './parsers.ts';

test.each([
  [duration, '1.5h', 5_400_000],
  [durationOrNever, '0s', 0],
  [durationOrNever, 'never', 'never'],
  [count(0), '0', 0],
  [countOrNone(1), 'none', 'none'],
  [oneOf('on', 'off'), 'off', 'off'],
] as const)('what a setting may be is read (%#: %s)', (syntax, text, value) => {
  expect(syntax.parse(text)).toBe(value);
});

test.each([
  [duration, 'never', 'a duration like 250ms, 30s or 5m'],
  [durationOrNever, '1d', 'a duration like 250ms, 30s or 5m, or never'],
  [count(1), '0', 'a whole number from 1'],
  [count(1), '1e3', 'a whole number from 1'],
  [count(1), '9'.repeat(16), 'a whole number from 1'],
  [countOrNone(1), '', 'a whole number from 1, or none'],
  [oneOf('on', 'off'), 'ON', 'on or off'],
] as const)('all else says what is allowed (%#: %s)', (syntax, text, allowed) => {
  expect(syntax.parse(text)).toBeUndefined();
  expect(syntax.allowed).toBe(allowed);
});

test.each([
  [parseAddress, '[::1]:80', { host: '::1', port: 80 }],
  [parseAddress, ':0', { host: '0.0.0.0', port: 0 }],
  [parseAddress, '::1:80', undefined],
  [parsePortRange, '1024-65535', { from: 1024, to: 65_535 }],
  [parsePortRange, '8000', undefined],
  [parseHostnames, ' A.example ,b', ['a.example', 'b']],
  [parseHostnames, 'a,,b', undefined],
  [parseHostnames, '-a', undefined],
  [parsePaths, '/srv/a/../b', ['/srv/b']],
  [parsePaths, 'srv', undefined],
  [parseSuffix, '', ''],
  [parseSuffix, ':v1', ':v1'],
  [parseSuffix, '/docker', undefined],
  [parseOwner, 'a'.repeat(63), 'a'.repeat(63)],
  [parseOwner, '.a', undefined],
  [parseTrustedProxies, '10.0.0.0/8,nonsense', undefined],
] as const)('%#: %s of %s', (parse, text, value) => {
  expect(parse(text)).toEqual(value);
});
