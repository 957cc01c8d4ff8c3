import type { Check, Endpoint, Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { explainNotReady, lookInto } from './not-ready.ts';

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
    const error = explainNotReady({
      revision: revision(check),
      error: failed(failure),
      listeners,
      exposedPorts,
    });
    expect(error.message).toContain(`web was not ready within 30 s: `);
    expect(error.message).toContain(why);
    expect(error.message).not.toContain('8402');
    expect(error).toMatchObject({ code: 'NOT_READY', timeoutMs: 30_000 });
  });

  test('it is looked into', async () => {
    const clock = new FakeClock();
    const runtime = Object.assign(new FakeRuntime(clock), { listening: async () => [at('127.0.0.1', 3000)] });
    const error = await lookInto('i1', revision(http), failed('read ECONNRESET'), { runtime, clock });
    expect(error.message).toContain('nothing listens on port 8080 in it; 127.0.0.1:3000 does');
    await clock.advance(0);
    expect(clock.timers).toBe(0);
  });

  test.each<[string, () => Promise<readonly Endpoint[] | undefined>]>([
    ['fails', () => Promise.reject(new Error('no'))],
    ['hangs', () => new Promise(() => {})],
    ['does not know', () => Promise.resolve(undefined)],
  ])('a runtime that %s keeps nobody', async (_, listening) => {
    const clock = new FakeClock();
    const runtime = Object.assign(new FakeRuntime(clock), { listening });
    const looking = lookInto('i1', revision(http), failed('read ECONNRESET'), { runtime, clock });
    await clock.advance(5_000);
    expect((await looking).message).toContain('port 8080 does not answer as it should (read ECONNRESET)');
    expect(clock.timers).toBe(0);
  });
});
