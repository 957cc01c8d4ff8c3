import type { RevisionState, Service, StoredRevision, Traffic } from '@cless/model';
import { sampleRevision, sampleService } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import {
  canonical,
  checkExpectation,
  checkOwner,
  checkTraffic,
  checkUnused,
  NO_TRAFFIC,
  revisionName,
  settled,
} from './rules.ts';

const AT = '2026-01-01T00:00:00.000Z';
const READY: RevisionState = { phase: 'ready', at: AT };

function revision(name: string, state: RevisionState = READY): StoredRevision {
  const number = Number(name.slice(-5));
  return {
    service: 'web',
    name,
    number,
    spec: sampleRevision(),
    secretNames: [],
    state,
    createdAt: AT,
  };
}

function splits(...percents: [revision: string, percent: number][]): Traffic {
  return { splits: percents.map(([revision, percent]) => ({ revision, percent })), tags: {} };
}

describe('an expectation', () => {
  const web: Service = {
    ...sampleService('web'),
    traffic: NO_TRAFFIC,
    version: 3,
    createdAt: AT,
    updatedAt: AT,
  };

  test.each([
    ['nothing is expected of what is there', web, undefined],
    ['nothing is expected of what is not', undefined, undefined],
    ['the version', web, 3],
    ['that there is none', undefined, 'absent'],
  ] as const)('is met: %s', (_, service, expected) => {
    expect(() => checkExpectation('web', service, { expected })).not.toThrow();
  });

  test.each([
    [web, 2, 3, 'was expected at version 2, but it is at version 3'],
    [undefined, 2, undefined, 'but there is none'],
    [web, 'absent', 3, 'exists already: it is at version 3'],
  ] as const)('is not', (service, expected, current, message) => {
    expect(() => checkExpectation('web', service, { expected })).toThrow(
      expect.objectContaining({
        code: 'VERSION_CONFLICT',
        current,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('traffic', () => {
  const known = new Map([
    ['web-00001', revision('web-00001')],
    ['web-00002', revision('web-00002')],
    ['web-00003', revision('web-00003', { phase: 'pending' })],
  ]);
  const check = (traffic: Traffic) => () => checkTraffic('web', traffic, (name) => known.get(name));

  test.each([
    NO_TRAFFIC,
    splits(['web-00001', 100]),
    splits(['web-00001', 1], ['web-00002', 99]),
    { splits: [], tags: { next: 'web-00002' } },
  ])('%j is allowed', (traffic) => {
    expect(check(traffic)).not.toThrow();
  });

  test.each([
    [splits(['web-00001', 0], ['web-00002', 100]), 'INVALID_TRAFFIC'],
    [splits(['web-00001', 101]), 'INVALID_TRAFFIC'],
    [splits(['web-00001', 50.5], ['web-00002', 49.5]), 'INVALID_TRAFFIC'],
    [splits(['web-00001', 50], ['web-00001', 50]), 'INVALID_TRAFFIC'],
    [splits(['web-00001', 99]), 'INVALID_TRAFFIC'],
    [splits(['web-00009', 100]), 'REVISION_NOT_FOUND'],
    [{ splits: [], tags: { next: 'web-00009' } }, 'REVISION_NOT_FOUND'],
    [splits(['web-00003', 100]), 'REVISION_NOT_READY'],
    [{ splits: [], tags: { next: 'web-00003' } }, 'REVISION_NOT_READY'],
  ])('%j is not', (traffic, code) => {
    expect(check(traffic)).toThrow(expect.objectContaining({ code }));
  });
});

test('a revision that gets traffic or has a tag is in use', () => {
  const traffic: Traffic = { splits: [{ revision: 'a', percent: 100 }], tags: { next: 'b' } };
  for (const name of ['a', 'b'])
    expect(() => checkUnused(traffic, name)).toThrow(expect.objectContaining({ code: 'REVISION_IN_USE' }));
  expect(() => checkUnused(traffic, 'c')).not.toThrow();
});

test('a host is one service’s', () => {
  expect(() => checkOwner('web', 'a.example', undefined)).not.toThrow();
  expect(() => checkOwner('web', 'a.example', 'web')).not.toThrow();
  expect(() => checkOwner('web', 'a.example', 'shop')).toThrow(
    expect.objectContaining({ code: 'HOST_TAKEN', host: 'a.example', owner: 'shop' }),
  );
});

test('what has been ready once stays so; all else is what came out last', () => {
  const failed = { phase: 'failed', reason: 'x', lastLogLines: [] } as const;
  expect(settled({ phase: 'pending' }, failed, AT)).toEqual({ ...failed, at: AT });
  expect(settled({ ...failed, at: 'before' }, { phase: 'ready' }, AT)).toEqual(READY);
  expect(settled(READY, failed, 'later')).toEqual(READY);
});

test('names sort as numbers, and definitions are equal whatever else they have', () => {
  expect(revisionName('web', 7)).toBe('web-00007');
  const wide = { extra: 1, ...sampleService('web', { hosts: ['b', 'a', 'b'] }) };
  expect(JSON.stringify(canonical(wide))).toBe(
    JSON.stringify({ name: 'web', hosts: ['b', 'a'], revisionHeader: false, sticky: false }),
  );
});
