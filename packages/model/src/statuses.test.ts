import { expect, test } from 'vitest';
import { formatStatuses, parseStatuses } from './statuses.ts';

test.each([
  ['404', 404],
  [404, 404],
  ['200-299', [200, 299]],
  ['200-200', [200, 200]],
  ['299-200', undefined],
  ['99', undefined],
  ['600', undefined],
  ['2xx', undefined],
  ['200-', undefined],
])('%j as statuses', (text, statuses) => {
  expect(parseStatuses(text)).toEqual(statuses);
  if (statuses !== undefined)
    expect(parseStatuses(formatStatuses(parseStatuses(text) ?? 0))).toEqual(statuses);
});
