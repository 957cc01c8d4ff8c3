import { expect, test } from 'vitest';
import { explainRefusal } from './runtime.ts';

test('a refusal names the setting that could allow it', () => {
  const refusal = {
    field: 'volumes/0/source',
    reason: 'the host path /srv is not allowed; allowed are none',
  };
  expect(explainRefusal({ ...refusal, option: 'hostPaths' })).toEqual({
    field: refusal.field,
    reason: `${refusal.reason} (CLESS_HOST_PATHS)`,
  });
  expect(explainRefusal(refusal)).toEqual(refusal);
});
