import { expect, test } from 'vitest';
import { toRevision } from './revision.ts';
import { readSpec } from './spec.ts';

const defaults = {
  readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
  idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
  stopGraceMs: 10_000,
} as const;
const plain = { image: 'web:1', imageId: 'sha256:1' };

test('a revision that says nothing is as the installation says', () => {
  expect(toRevision('web', 'web-00001', readSpec(plain), defaults)).toEqual({
    service: 'web',
    id: 'web-00001',
    spec: { service: 'web', revision: 'web-00001', image: 'sha256:1', port: 8080 },
    ...defaults,
    secrets: [],
  });
});

test('what it says holds; secrets are among its variables', () => {
  const spec = readSpec({
    ...plain,
    port: 3000,
    command: [],
    env: { A: 'a', B: 'b' },
    readiness: { kind: 'http', path: '/ready' },
    readyTimeoutMs: 5,
    pauseAfterMs: 'never',
    stopAfterMs: 8,
    rollout: 'replace',
    responseTimeoutMs: 6,
    stopGraceMs: 7,
  });
  expect(toRevision('web', 'web-00001', spec, defaults, { B: 'secret' })).toEqual({
    service: 'web',
    id: 'web-00001',
    spec: {
      service: 'web',
      revision: 'web-00001',
      image: 'sha256:1',
      port: 3000,
      command: [],
      env: { A: 'a', B: 'secret' },
    },
    readiness: { check: { kind: 'http', path: '/ready' }, timeoutMs: 5 },
    idle: { pauseAfterMs: undefined, stopAfterMs: 8 },
    rollout: 'replace',
    responseTimeoutMs: 6,
    stopGraceMs: 7,
    secrets: ['secret'],
  });
});

test('of a connection no path is asked', () => {
  const spec = readSpec({ ...plain, readiness: { kind: 'tcp', path: '/x' } });
  expect(toRevision('web', 'web-00001', spec, defaults).readiness.check).toEqual({ kind: 'tcp' });
});
