import { Failure } from '@cless/model';
import { describe, expect, test } from 'vitest';
import { ServiceNotFoundError } from '../errors.ts';
import { problemOf, writeProblem } from './problem.ts';

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
    ['LOOP', 508, 'loop-detected'],
    ['SOMETHING_ELSE', 500, 'internal-error'],
  ])('%s is %i %s', (code, status, type) => {
    const problem = problemOf(coded(code), context);
    expect(problem).toMatchObject({ status, type });
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

  test('back-off says when', () => {
    expect(problemOf(new Failure('BACKOFF', 'no', { retryAfterMs: 3_200 }), context)).toMatchObject({
      retryAfter: 4,
    });
  });
});

describe('writeProblem', () => {
  function write(accept: string | undefined, method = 'GET') {
    let head: Record<string, unknown> = {};
    let body: string | undefined;
    const response = {
      writeHead: (_: number, headers: Record<string, unknown>) => {
        head = headers;
      },
      end: (text?: string) => {
        body = text;
      },
    };
    const problem = problemOf(new ServiceNotFoundError('<b>.example'), context);
    // @ts-expect-error as much of a request and a response as it uses
    writeProblem({ method, headers: { accept } }, response, problem, {
      service: '<b>',
      requestId: 'r1',
      close: false,
    });
    return { type: head['Content-Type'], head, body };
  }

  test.each([
    [undefined, 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    ['application/json', 'application/problem+json'],
    ['text/html;q=0.5, application/json', 'application/problem+json'],
    ['text/html;q=0', 'application/problem+json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=utf-8'],
  ])('for Accept: %s it is %s', (accept, type) => {
    expect(write(accept).type).toBe(type);
  });

  test('a page is dark where the reader wants it dark, its ground, too', () => {
    expect(write('text/html').body).toMatch(/^ *:root \{ color-scheme: light dark \}$/m);
  });

  test('names the service, escapes what it shows, and sends no body to HEAD', () => {
    expect(JSON.parse(write('*/*').body ?? '')).toEqual({
      type: 'service-not-found',
      title: 'No such service',
      status: 404,
      detail: 'no service answers to <b>.example',
      service: '<b>',
      requestId: 'r1',
    });
    expect(write('text/html').body).not.toContain('<b>');
    expect(write('*/*', 'HEAD').body).toBeUndefined();
  });
});
