import { codeOf } from '@cless/model';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { challenge, type GuardOptions, guard } from './guard.ts';

const OPTIONS: GuardOptions = { token: 'secret', hosts: ['localhost', '[::1]'], openMetrics: false };

interface Asked {
  readonly method?: string;
  readonly remote?: string;
  readonly options?: Partial<GuardOptions>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The outcome of a request: `passed`, or the code it is refused with. */
async function ask(path: string, { method = 'GET', remote = '127.0.0.1', options, headers }: Asked = {}) {
  const app = new Hono()
    .use(guard({ ...OPTIONS, ...options }))
    .all('*', ({ text }) => text('passed'))
    .onError((error) => new Response(codeOf(error)));
  const response = await app.request(
    path,
    { method, headers: { Host: 'localhost:7070', Authorization: 'Bearer secret', ...headers } },
    { incoming: { socket: { remoteAddress: remote, remotePort: 1, remoteFamily: 'IPv4' } } },
  );
  return response.text();
}

test.each(['localhost', 'localhost:7070', 'LOCALHOST:1', '[::1]:7070'])(
  '%s is a name of it',
  async (Host) => {
    expect(await ask('/v1/services', { headers: { Host } })).toBe('passed');
  },
);

test.each(['', 'evil.example', 'localhost.evil.example', '127.0.0.1'])('%j is none', async (Host) => {
  expect(await ask('/v1/services', { headers: { Host } })).toBe('FORBIDDEN_HOST');
});

test.each([
  ['http://localhost:7070', 'passed'],
  ['https://localhost:7070', 'passed'],
  ['http://localhost', 'FORBIDDEN_ORIGIN'],
  ['http://evil.example', 'FORBIDDEN_ORIGIN'],
  ['null', 'FORBIDDEN_ORIGIN'],
])('a page of %s: %s', async (Origin, outcome) => {
  expect(await ask('/v1/services', { headers: { Origin } })).toBe(outcome);
});

describe('the token', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each([
    ['Bearer secret', 'passed'],
    ['bearer  secret', 'passed'],
    ['Bearer secre', 'UNAUTHORIZED'],
    ['Bearer', 'UNAUTHORIZED'],
    ['secret', 'UNAUTHORIZED'],
    ['', 'UNAUTHORIZED'],
    [basic('anybody:secret'), 'UNAUTHORIZED'],
  ])('%s: %s', async (Authorization, outcome) => {
    expect(await ask('/v1/services', { headers: { Authorization } })).toBe(outcome);
  });

  test.each([
    ['/docs', 'anybody:secret', 'passed'],
    ['/openapi.json', ':secret', 'passed'],
    ['/docs', 'secret', 'UNAUTHORIZED'],
    ['/docs', 'secret:other', 'UNAUTHORIZED'],
    ['/docs/', 'anybody:secret', 'UNAUTHORIZED'],
  ])('as a password of a browser for %s, %s: %s', async (path, text, outcome) => {
    expect(await ask(path, { headers: { Authorization: basic(text) } })).toBe(outcome);
  });

  test.each([
    ['/healthz', '127.0.0.1', false, 'passed'],
    ['/readyz', '::1', false, 'passed'],
    ['/readyz', '::ffff:127.0.0.1', false, 'passed'],
    ['/healthz', '10.0.0.1', false, 'UNAUTHORIZED'],
    ['/metrics', '127.0.0.1', false, 'UNAUTHORIZED'],
    ['/metrics', '127.0.0.1', true, 'passed'],
    ['/metrics', '10.0.0.1', true, 'UNAUTHORIZED'],
    ['/v1/services', '127.0.0.1', true, 'UNAUTHORIZED'],
  ])('without it, %s from %s, metrics open: %s → %s', async (path, remote, openMetrics, outcome) => {
    const headers = { Authorization: '' };
    expect(await ask(path, { remote, headers, options: { openMetrics } })).toBe(outcome);
  });

  test('browsers are told to ask for it where they may', () => {
    expect(challenge('/docs')).toMatch(/^Basic realm="/);
    expect(challenge('/v1/services')).toMatch(/^Bearer realm="/);
  });
});

// A form of a stranger's page can send neither.
test.each([
  ['POST', 'application/json', 'passed'],
  ['PUT', 'Application/JSON; charset=utf-8', 'passed'],
  ['PATCH', 'text/plain', 'UNSUPPORTED_MEDIA_TYPE'],
  ['POST', '', 'UNSUPPORTED_MEDIA_TYPE'],
  ['DELETE', '', 'passed'],
])('%s with %j: %s', async (method, type, outcome) => {
  expect(await ask('/v1/services/web', { method, headers: { 'Content-Type': type } })).toBe(outcome);
});
