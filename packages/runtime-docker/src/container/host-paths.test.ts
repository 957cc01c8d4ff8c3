import { expect, test } from 'vitest';
import { HostPaths } from './host-paths.ts';

const at = (...sources: string[]) => ({
  volumes: sources.map((source) => ({ source, target: '/data', readOnly: false })),
});

test('folders within those that are allowed, and volumes with a name, are refused by nobody', () => {
  expect(new HostPaths(['/srv']).refusals(at('/srv', '/srv/git', 'data'))).toEqual([]);
  expect(new HostPaths(['/']).refusals(at('/srv'))).toEqual([]);
  expect(new HostPaths([]).refusals({})).toEqual([]);
});

test('others are refused, each by its place, with what is allowed and the option that allows more', () => {
  const option = 'hostPaths';
  expect(new HostPaths(['/srv', '/mnt']).refusals(at('data', '/srv2', '/'))).toEqual([
    {
      field: 'volumes/1/source',
      reason: expect.stringMatching(/\/srv2 is not .* are \/srv, \/mnt$/),
      option,
    },
    { field: 'volumes/2/source', reason: expect.stringContaining('the host path / is not allowed'), option },
  ]);
  expect(new HostPaths([]).refusals(at('/srv'))).toEqual([
    { field: 'volumes/0/source', reason: expect.stringMatching(/allowed are none$/), option },
  ]);
});
