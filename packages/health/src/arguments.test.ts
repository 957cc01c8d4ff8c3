import { describe, expect, test } from 'vitest';
import { checkArguments, timerMs } from './arguments.ts';

const endpoint = { host: '127.0.0.1', port: 80 };
const http = { kind: 'http' } as const;

describe('arguments', () => {
  test.each(['localhost', 'a.example', '10.0.0.1', '::1'])('%s is a host', (host) => {
    expect(() => checkArguments({ host, port: 1 }, http)).not.toThrow();
  });

  test.each(['', 'a b', 'a/b', 'a?b', 'a#b', 'user@a'])('%j is none', (host) => {
    expect(() => checkArguments({ host, port: 1 }, http)).toThrow(TypeError);
  });

  test.each([1, 65_535])('%d is a port', (port) => {
    expect(() => checkArguments({ ...endpoint, port }, http)).not.toThrow();
  });

  test.each([0, -1, 65_536, 1.5, Number.NaN])('%d is none', (port) => {
    expect(() => checkArguments({ ...endpoint, port }, http)).toThrow('whole numbers from 1 to 65535');
  });

  test.each([[[100]], [[599]], [[[100, 599] as const]], [[200, [300, 399] as const]]])(
    '%j are statuses',
    (statuses) => {
      expect(() => checkArguments(endpoint, { ...http, statuses })).not.toThrow();
    },
  );

  test.each([[[99]], [[600]], [[200.5]], [[[200, 600] as const]]])('%j are not', (statuses) => {
    expect(() => checkArguments(endpoint, { ...http, statuses })).toThrow('from 100 to 599');
  });

  test('TCP has no more to say', () => {
    expect(() => checkArguments(endpoint, { kind: 'tcp' })).not.toThrow();
  });
});

test('a timer runs as long as it can, and not the wrong way', () => {
  expect(timerMs('timeoutMs', 0)).toBe(0);
  expect(timerMs('timeoutMs', 2 ** 31)).toBe(2 ** 31 - 1);
  expect(timerMs('timeoutMs', Number.POSITIVE_INFINITY)).toBe(2 ** 31 - 1);
  for (const wrong of [-1, Number.NaN]) expect(() => timerMs('timeoutMs', wrong)).toThrow('timeoutMs');
});
