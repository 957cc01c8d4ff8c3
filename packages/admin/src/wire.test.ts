import type { StoredRevision } from '@cless/model';
import { sampleRevision, sampleService } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { changesBetween, fromRevision, fromService, toService } from './wire.ts';

const AT = '2026-01-01T00:00:00.000Z';

test('a service comes back as it was written', () => {
  const written = {
    hosts: ['a.example'],
    revisionHeader: true,
    sticky: true,
    wakeFilter: { paths: ['/health'], userAgents: ['Bot'] },
  };
  const known = {
    ...toService('web', written),
    traffic: { splits: [{ revision: 'web-00001', percent: 100 }], tags: { next: 'web-00001' } },
    version: 3,
    createdAt: AT,
    updatedAt: AT,
  };
  expect(fromService(known)).toEqual({ ...known, ...written });
  expect(fromService({ ...known, wakeFilter: undefined }).wakeFilter).toBeUndefined();
  expect(toService('plain', sampleService('plain')).wakeFilter).toBeUndefined();
});

describe('a revision', () => {
  const stored = (state: StoredRevision['state']): StoredRevision => ({
    service: 'web',
    name: 'web-00001',
    number: 1,
    spec: sampleRevision({ env: { A: '1' } }),
    secretNames: ['KEY'],
    state,
    createdAt: AT,
  });

  test('is told without the values of its secrets', () => {
    expect(fromRevision(stored({ phase: 'ready', at: AT }), false)).toMatchObject({
      name: 'web-00001',
      state: 'ready',
      imageId: 'sha256:1',
      secretNames: ['KEY'],
      spec: { image: 'sample:1', env: { A: '1' } },
    });
  });

  test('that failed says why', () => {
    const state = { phase: 'failed', at: AT, reason: 'it exited', lastLogLines: ['help'] } as const;
    expect(fromRevision(stored(state), false)).toMatchObject({
      state: 'failed',
      reason: 'it exited',
      lastLogLines: ['help'],
    });
  });

  test('that nobody deploys any more has failed', () => {
    expect(fromRevision(stored({ phase: 'pending' }), true)).toMatchObject({ state: 'pending' });
    expect(fromRevision(stored({ phase: 'pending' }), false)).toMatchObject({
      state: 'failed',
      reason: 'the proxy ended while it was deployed',
    });
  });
});

describe('changes', () => {
  const deployed = (more: object = {}, secrets: Record<string, string> = {}) => ({
    spec: sampleRevision({ ...more }),
    secrets,
  });

  test('there are none between equals', () => {
    expect(changesBetween(deployed({}, { KEY: 'x' }), deployed({}, { KEY: 'x' }))).toEqual([]);
  });

  test('are told field by field, as people write them', () => {
    const before = deployed({ env: { A: '1', B: '2' }, memoryBytes: 1024 ** 2 });
    const after = deployed({ env: { A: '3', C: '4' }, memoryBytes: 1024 ** 3, port: 80 });
    expect(Object.fromEntries(changesBetween(before, after).map(({ field, ...of }) => [field, of]))).toEqual({
      'env.A': { from: '1', to: '3' },
      'env.B': { from: '2', to: undefined },
      'env.C': { from: undefined, to: '4' },
      'limits.memory': { from: '1MiB', to: '1GiB' },
      port: { from: undefined, to: 80 },
    });
  });

  test('of the first one are all that it says', () => {
    expect(changesBetween(undefined, deployed()).map(({ field }) => field)).toEqual(
      expect.arrayContaining(['image', 'imageId']),
    );
  });

  test('of secrets are told by their names only', () => {
    const changes = changesBetween(
      deployed({}, { SAME: 'x', OTHER: 'x', GONE: 'x' }),
      deployed({}, { SAME: 'x', OTHER: 'y', NEW: 'y' }),
    );
    expect(changes).toEqual([
      { field: 'secrets.OTHER', from: '(secret)', to: '(another secret)' },
      { field: 'secrets.GONE', from: '(secret)' },
      { field: 'secrets.NEW', to: '(another secret)' },
    ]);
  });
});
