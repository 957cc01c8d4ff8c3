import type { Check } from '@cless/model';
import { expect, test } from 'vitest';
import { anyAnswerToo } from './any-answer.ts';

test.each<[boolean | undefined, Check, Check]>([
  [undefined, { kind: 'http', path: '/a' }, { kind: 'http', path: '/a' }],
  [true, { kind: 'http', path: '/a' }, { kind: 'http', path: '/a', statuses: [[100, 599]] }],
  [true, { kind: 'tcp' }, { kind: 'tcp' }],
])('with any answer: %s', async (anyAnswer, check, asked) => {
  const checks: Check[] = [];
  const probe = anyAnswerToo(async (_, options) => {
    checks.push(options.check);
    return { attempts: 1 };
  });
  const { signal } = new AbortController();
  await probe(
    { host: '127.0.0.1', port: 1 },
    { check, timeoutMs: 1, signal, ...(anyAnswer !== undefined && { anyAnswer }) },
  );
  expect(checks).toEqual([asked]);
});
