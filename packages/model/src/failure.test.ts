import { expect, test } from 'vitest';
import { codeOf, Failure, hasCode, reasonOf } from './failure.ts';

test('has its facts as fields, and its cause as errors do', () => {
  const cause = new Error('why');
  const failure = new Failure('HOST_TAKEN', 'no', { host: 'a.example', owner: 'one', cause });
  expect(failure).toMatchObject({ code: 'HOST_TAKEN', message: 'no', host: 'a.example', owner: 'one' });
  expect(failure.cause).toBe(cause);
  expect(Object.keys(failure)).not.toContain('cause');
});

test('is told by its code, whoever has thrown it', () => {
  const foreign: unknown = Object.assign(new Error('no'), { code: 'BACKOFF', retryAfterMs: 5 });
  expect(hasCode(foreign, 'START_FAILED', 'BACKOFF')).toBe(true);
  expect(hasCode(foreign, 'START_FAILED')).toBe(false);
  expect(hasCode(foreign, 'BACKOFF') && foreign.retryAfterMs).toBe(5);
  for (const none of [undefined, 'BACKOFF', { code: 'BACKOFF' }, new Error('BACKOFF')])
    expect(hasCode(none, 'BACKOFF')).toBe(false);
});

test('what is no code, and facts that are not there, do not compile', () => {
  // @ts-expect-error there is no such code
  const unknown = new Failure('START_FALED', 'no');
  // @ts-expect-error it is nothing without its facts
  const bare = new Failure('HOST_TAKEN', 'no');
  // @ts-expect-error none of its facts
  const other = new Failure('QUEUE_FULL', 'no', { host: 'a.example' });
  expect([unknown, bare, other].map(codeOf)).toEqual(['START_FALED', 'HOST_TAKEN', 'QUEUE_FULL']);
});

test('its reason is its code in small letters', () => {
  expect(reasonOf(new Failure('START_FAILED', 'no'))).toBe('start-failed');
  expect(reasonOf(Object.assign(new Error('no'), { code: 'ECONNRESET' }))).toBe('econnreset');
  expect(reasonOf('no')).toBe('unknown');
});
