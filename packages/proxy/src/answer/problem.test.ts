import { CODES, Failure, isCode, slugOf, typeOf } from '@cless/model';
import { describe, expect, test } from 'vitest';
import { FakeIncoming, FakeOutgoing } from '../exchange/fake-exchange.ts';
import { problemOf, sendProblem } from './problem.ts';

const context = { service: 'golang', host: 'golang.cless.cloud' };

function coded(code: string, facts: object = {}): Error {
  return Object.assign(new Error('open /var/run/secret: no such file'), { code, ...facts });
}

describe('problemOf', () => {
  test.each([
    ['INVALID_HOST', 400, 'invalid-host'],
    ['BAD_REQUEST', 400, 'bad-request'],
    ['SERVICE_NOT_FOUND', 404, 'service-not-found'],
    ['METHOD_NOT_ALLOWED', 405, 'method-not-allowed'],
    ['EXPECTATION_FAILED', 417, 'expectation-failed'],
    ['REQUEST_TIMEOUT', 408, 'request-timeout'],
    ['BODY_TOO_LARGE', 413, 'body-too-large'],
    ['TARGET_TOO_LONG', 414, 'target-too-long'],
    ['HEADERS_TOO_LARGE', 431, 'headers-too-large'],
    ['IMAGE_NOT_FOUND', 502, 'image-not-found'],
    ['NETWORK_NOT_FOUND', 502, 'network-not-found'],
    ['START_FAILED', 502, 'start-failed'],
    ['ENGINE_REFUSED', 502, 'start-failed'],
    ['UPSTREAM_DISCONNECTED', 502, 'upstream-disconnected'],
    ['UPSTREAM_INVALID', 502, 'upstream-disconnected'],
    ['BACKOFF', 503, 'backoff'],
    ['QUEUE_FULL', 503, 'queue-full'],
    ['CAPACITY', 503, 'capacity'],
    ['NO_FREE_PORT', 503, 'no-free-port'],
    ['NO_FREE_SOCKET', 503, 'no-free-socket'],
    ['NO_ADDRESS_POOL', 503, 'no-address-pool'],
    ['DATABASE_BUSY', 503, 'database-busy'],
    ['ENGINE_UNREACHABLE', 503, 'runtime-unavailable'],
    ['SHUTTING_DOWN', 503, 'shutting-down'],
    ['NOT_READY', 504, 'not-ready'],
    ['UPSTREAM_TIMEOUT', 504, 'upstream-timeout'],
    ['HTTP_VERSION', 505, 'http-version'],
    ['ASLEEP', 503, 'asleep'],
    ['LOOP', 508, 'loop-detected'],
    ['SOMETHING_ELSE', 500, 'internal-error'],
  ])('%s is %i %s', (code, status, type) => {
    const problem = problemOf(coded(code), context);
    expect([problem.status, slugOf(problem.code)]).toEqual([status, type]);
    expect(problem.retryAfter !== undefined).toBe(status === 503);
  });

  test('of what a runtime or an instance says nothing is told but numbers', () => {
    for (const code of [
      'IMAGE_NOT_FOUND',
      'START_FAILED',
      'ENGINE_REFUSED',
      'DATABASE_BUSY',
      'ENGINE_UNREACHABLE',
      'NOT_READY',
      'UPSTREAM_INVALID',
      'X',
    ]) {
      expect(problemOf(coded(code), context).detail).not.toContain('secret');
    }
    expect(problemOf(coded('START_FAILED', { exitCode: 3 }), context).detail).toBe(
      'golang exited with code 3 before it was ready.',
    );
    expect(problemOf(coded('START_FAILED', { oomKilled: true }), context).detail).toContain(
      'ran out of memory',
    );
    expect(problemOf(coded('NOT_READY', { timeoutMs: 30_000 }), context).detail).toContain('within 30 s');
  });

  test('each code that clients are answered with is told in words of its own', () => {
    for (const code of Object.keys(CODES).filter(isCode)) {
      const isTold = CODES[code].edge !== undefined && code !== 'INTERNAL_ERROR';
      const { detail } = problemOf(coded(code, { retryAfterMs: 1_000, timeoutMs: 1_000 }), context);
      expect(detail !== 'The proxy failed to handle the request.', code).toBe(isTold);
    }
  });

  test('back-off says when', () => {
    expect(problemOf(new Failure('BACKOFF', 'no', { retryAfterMs: 3_200 }), context)).toMatchObject({
      retryAfter: 4,
    });
  });
});

describe('sendProblem', () => {
  function send(accept: string | undefined, method = 'GET') {
    const outgoing = new FakeOutgoing();
    const problem = problemOf(new Failure('SERVICE_NOT_FOUND', 'no service answers to <b>.example'), context);
    const rawHeaders = accept === undefined ? [] : ['Accept', accept];
    sendProblem(new FakeIncoming({ method, rawHeaders }), outgoing, problem, {
      service: '<b>',
      requestId: 'r1',
    });
    return { type: outgoing.header('content-type'), body: outgoing.body };
  }

  test.each([
    [undefined, 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    ['application/json', 'application/problem+json'],
    ['text/html;q=0.5, application/json', 'application/problem+json'],
    ['text/html;q=0', 'application/problem+json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=utf-8'],
  ])('for Accept: %s it is %s', (accept, type) => {
    expect(send(accept).type).toBe(type);
  });

  test('a page is dark where the reader wants it dark, its ground, too', () => {
    expect(send('text/html').body).toMatch(/^ *:root \{ color-scheme: light dark \}$/m);
  });

  test('names the service, escapes what it shows, and sends no body to HEAD', () => {
    expect(JSON.parse(send('*/*').body)).toEqual({
      type: typeOf('service-not-found'),
      title: 'No such service',
      status: 404,
      detail: 'no service answers to <b>.example',
      service: '<b>',
      requestId: 'r1',
    });
    expect(send('text/html').body).not.toContain('<b>');
    expect(send('*/*', 'HEAD').body).toBe('');
  });
});
