import { expect, test } from 'vitest';
import { UpstreamError } from '../forward/forward-error.ts';
import type { ForwardError } from '../forward/forwarder.ts';
import { mayBeSentAgain, RetryBudget, type Tried } from './retry.ts';

const GET: Tried = { method: 'GET', body: 'none', retries: 0 };
const POST: Tried = { ...GET, method: 'POST' };

test.each<[ForwardError['reached'], Tried, boolean]>([
  ['unsent', GET, true],
  ['unsent', POST, true],
  ['unsent', { ...POST, body: 'untouched' }, true],
  ['unsent', { ...POST, body: 'taken' }, false],
  ['unsent', { ...POST, retries: 2 }, true],
  ['unsent', { ...POST, retries: 3 }, false],
  ['stale', GET, true],
  ['stale', { ...GET, retries: 1 }, false],
  ['stale', { ...GET, body: 'untouched' }, false],
  ['stale', POST, false],
  ['closed', { ...GET, method: 'DELETE' }, true],
  ['closed', { ...GET, method: 'PATCH' }, false],
  ['sent', GET, false],
])('%s, %j: %s', (reached, tried, expected) => {
  const failed = (code: ForwardError['code']) => new UpstreamError(code, reached, new Error('gone'));
  expect(mayBeSentAgain(failed('UPSTREAM_DISCONNECTED'), tried)).toBe(expected);
  for (const code of ['UPSTREAM_TIMEOUT', 'UPSTREAM_INVALID', 'NO_FREE_SOCKET'] as const)
    expect(mayBeSentAgain(failed(code), tried)).toBe(false);
});

test('ten requests earn one retry, and no more than a hundred are saved', () => {
  const budget = new RetryBudget();
  const spent = () => {
    let count = 0;
    while (budget.spend()) count += 1;
    return count;
  };
  expect(spent()).toBe(10);
  for (let i = 0; i < 25; i++) budget.earn();
  expect(spent()).toBe(2);
  for (let i = 0; i < 10_000; i++) budget.earn();
  expect(spent()).toBe(100);
});
