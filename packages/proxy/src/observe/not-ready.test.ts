import { getEventListeners } from 'node:events';
import type { Check, Endpoint, Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { explainNotReady, whyNotReady } from './not-ready.ts';

const http: Check = { kind: 'http' };
const revision = (check: Check): Revision => ({
  service: 'web',
  id: 'web-1',
  spec: { service: 'web', revision: 'web-1', image: 'web', port: 8080 },
  readiness: { check, timeoutMs: 30_000 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 1,
});
const at = (host: string, port = 8080): Endpoint => ({ host, port });
const failed = (why: string) =>
  Object.assign(new Error('127.0.0.1:8402 was not ready', { cause: new Error(why) }), { code: 'NOT_READY' });

describe('why an instance did not get ready', () => {
  test.each<[string, Check, string, Endpoint[] | undefined, number[], string]>([
    [
      'another port',
      http,
      'read ECONNRESET',
      [at('127.0.0.1', 3000)],
      [],
      'nothing listens on port 8080 in it; 127.0.0.1:3000 does: listen on PORT, or say which it is with --port',
    ],
    [
      'several others',
      http,
      'read ECONNRESET',
      [at('0.0.0.0', 80), at('::', 81)],
      [],
      'nothing listens on port 8080 in it; 0.0.0.0:80, [::]:81 do: listen on PORT',
    ],
    ['nothing', http, 'connect ECONNREFUSED 127.0.0.1:8402', [], [], 'nothing listens in it'],
    [
      'two exposed ports',
      http,
      'read ECONNRESET',
      [at('::', 80)],
      [80, 9000],
      'its image exposes 2 ports (80, 9000): choose one with --port',
    ],
    [
      'itself only',
      http,
      'read ECONNRESET',
      [at('127.0.0.1')],
      [],
      'it listens on 127.0.0.1:8080 only, where nothing from outside of it arrives: listen on 0.0.0.0',
    ],
    ['itself only, by IPv6', http, 'read ECONNRESET', [at('::1')], [], 'it listens on [::1]:8080 only'],
    [
      'no HTTP',
      http,
      'other side closed',
      [at('0.0.0.0')],
      [],
      'port 8080 answers, but speaks no HTTP (other side closed); if that is right: --ready-tcp',
    ],
    [
      'silence',
      http,
      'no answer within 10000 ms',
      [at('::')],
      [],
      'port 8080 takes connections, and does not answer',
    ],
    [
      'TCP that is closed',
      { kind: 'tcp' },
      'accepted, then closed',
      [at('::')],
      [],
      'port 8080 takes connections, and closes them (accepted, then closed)',
    ],
    ['a status', http, 'status 503', [at('::')], [], '/ on port 8080 is answered with 503'],
    [
      'a status of a path',
      { kind: 'http', path: '/typo' },
      'status 404',
      undefined,
      [],
      '/typo on port 8080 is answered with 404',
    ],
    [
      'nobody knows',
      http,
      'connect ECONNREFUSED 127.0.0.1:8402',
      undefined,
      [],
      'port 8080 does not answer as it should (connect ECONNREFUSED)',
    ],
    ['nobody knows, by IPv6', http, 'connect ECONNREFUSED ::1:8402', undefined, [], '(connect ECONNREFUSED)'],
  ])('%s', (_, check, failure, listeners, exposedPorts, why) => {
    const said = whyNotReady({ revision: revision(check), error: failed(failure), listeners, exposedPorts });
    expect(said).toContain(why);
    expect(said).not.toContain('8402');
  });

  const runtime = (listening: () => Promise<readonly Endpoint[] | undefined>) =>
    Object.assign(new FakeRuntime(new FakeClock()), { listening });

  test('it is looked into', async () => {
    const listening = async () => [at('127.0.0.1', 3000)];
    const { signal } = new AbortController();
    const said = explainNotReady(runtime(listening), 'i1', revision(http), failed('read ECONNRESET'), signal);
    expect(await said).toContain('nothing listens on port 8080 in it; 127.0.0.1:3000 does');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.each<[string, () => Promise<readonly Endpoint[] | undefined>]>([
    ['fails', () => Promise.reject(new Error('no'))],
    ['hangs', () => new Promise(() => {})],
    ['does not know', () => Promise.resolve(undefined)],
  ])('a runtime that %s keeps nobody', async (_, listening) => {
    const enough = new AbortController();
    const error = failed('read ECONNRESET');
    const said = explainNotReady(runtime(listening), 'i1', revision(http), error, enough.signal);
    enough.abort();
    expect(await said).toContain('port 8080 does not answer as it should (read ECONNRESET)');
  });
});
