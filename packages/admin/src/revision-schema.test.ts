import { describe, expect, test } from 'vitest';
import { RevisionSchema } from './revision-schema.ts';

/** The errors as `path: message`; empty if there are none. */
function wrong(more: object): string[] {
  const { error } = RevisionSchema.safeParse({ image: 'web:1', ...more });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('an image is all that has to be said', () => {
  expect(RevisionSchema.safeParse({}).success).toBe(false);
  expect(RevisionSchema.parse({ image: 'web:1' })).toMatchObject({ image: 'web:1' });
  expect(wrong({ nonsense: 1 })).toHaveLength(1);
});

const volume = (more: object = {}) => ({ source: 'data', target: '/data', ...more });

test.each([
  { port: 1 },
  { port: 65_535 },
  { env: { A_1: '', _: 'x' } },
  { command: [] },
  { entrypoint: ['sh'] },
  { volumes: [volume(), volume({ source: '/srv/data', target: '/other', readOnly: true })] },
  { networks: ['shop_default'] },
  { limits: { memory: '6MiB', cpus: 0.5, pids: 10 } },
  { idle: { pauseAfter: '250ms', stopAfter: 'never' } },
  { readiness: { kind: 'tcp' } },
  { readiness: { kind: 'http', path: '/healthz', statuses: [200, '300-399'] } },
])('%j is allowed', (more) => {
  expect(wrong(more)).toEqual([]);
});

describe('not allowed', () => {
  test.each<[object, string]>([
    [{ image: 'Web:1' }, 'allowed is an image like name:tag'],
    [{ port: 0 }, 'port'],
    [{ port: 65_536 }, 'port'],
    [{ env: { PORT: '1' } }, 'env'],
    [{ env: { '1A': '' } }, 'env'],
    [{ env: { A: 'a\0b' } }, 'NUL is not allowed'],
    [{ env: { A: 'x'.repeat(128 * 1024 - 2) } }, 'allowed is at most 131069 bytes'],
    [{ command: ['a\0b'] }, 'NUL is not allowed'],
    [{ entrypoint: [] }, 'entrypoint'],
    [{ volumes: [volume({ source: '../data' })] }, 'the name of a volume, or an absolute path'],
    [{ volumes: [volume({ source: '/srv/../etc' })] }, 'the name of a volume, or an absolute path'],
    [{ volumes: [volume({ target: '/' })] }, 'and not /'],
    [{ volumes: [volume({ target: 'data' })] }, 'an absolute path'],
    [{ volumes: [volume({ target: '/data/' })] }, 'an absolute path'],
    [{ volumes: [volume(), volume({ source: 'other' })] }, 'another volume is at /data'],
    [{ networks: ['host'] }, 'cannot be joined'],
    [{ networks: ['cless-home'] }, 'the networks of installations cannot be joined'],
    [{ networks: ['a b'] }, 'the name of a network'],
    [{ limits: { memory: '1MiB' } }, 'or more'],
    [{ limits: { memory: 'lots' } }, 'an amount like 256MiB'],
    [{ limits: { memory: '99999999999GiB' } }, 'allowed is less'],
    [{ idle: { pauseAfter: 'soon' } }, 'a duration like 250ms, 30s or 5m, or never'],
    [{ readiness: { kind: 'http', path: 'healthz' } }, 'a path that begins with /'],
    [{ readiness: { kind: 'http', statuses: ['2xx'] } }, 'a status or a range'],
    [{ readiness: { kind: 'tcp', statuses: [200] } }, 'a connection has no status'],
  ])('%j: %s', (more, message) => {
    expect(wrong(more)).toEqual([expect.stringContaining(message)]);
  });
});
