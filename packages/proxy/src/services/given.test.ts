import { expect, test } from 'vitest';
import { type Described, revisionOf } from './given.ts';

const DEFAULTS = {
  readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
  idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
  stopGraceMs: 10_000,
} as const;
const IMAGE = { id: 'sha256:1', exposedPorts: [3000] };

const revision = (about: Partial<Described> = {}) =>
  revisionOf({
    service: 'web',
    reference: 'golang-docker',
    image: IMAGE,
    given: undefined,
    defaults: DEFAULTS,
    warn: undefined,
    ...about,
  });

test('without a word it is what the image and the installation say', () => {
  const labels = { 'cless.ready': '/up', 'cless.stop-after': 'never' };
  expect(revision({ image: { ...IMAGE, labels } })).toMatchObject({
    service: 'web',
    id: 'sha256:1',
    spec: { service: 'web', revision: 'sha256:1', image: 'sha256:1', port: 3000 },
    readiness: { check: { kind: 'http', path: '/up' }, timeoutMs: 30_000 },
    idle: { pauseAfterMs: 60_000, stopAfterMs: undefined },
    stopGraceMs: 10_000,
  });
});

test('what is given comes before that, option by option', () => {
  const labels = { 'cless.port': '4000', 'cless.pause-after': '1s', 'cless.stop-after': '2s' };
  const given = {
    image: 'golang-docker',
    hosts: ['web.example'],
    port: 5000,
    env: { A: 'a' },
    secrets: { B: 'b' },
    memoryBytes: 1024,
    readiness: { kind: 'tcp' },
    readyTimeoutMs: 1,
    pauseAfterMs: 'never',
    responseTimeoutMs: 1_500,
  } as const;
  expect(revision({ image: { ...IMAGE, labels }, given })).toMatchObject({
    spec: { port: 5000, env: { A: 'a', B: 'b' }, memoryBytes: 1024 },
    readiness: { check: { kind: 'tcp' }, timeoutMs: 1 },
    idle: { pauseAfterMs: undefined, stopAfterMs: 2_000 },
    responseTimeoutMs: 1_500,
    secrets: ['b'],
  });
});

test('one replaces the other if it writes a volume, its own or the image’s', () => {
  const own = [{ source: 'data', target: '/data', readOnly: false }];
  expect(revision().rollout).toBeUndefined();
  expect(revision({ image: { ...IMAGE, volumes: ['/data'] } }).rollout).toBe('replace');
  expect(revision({ given: { image: 'a', volumes: own } }).rollout).toBe('replace');
  const given = { image: 'a', volumes: own, rollout: 'overlap' } as const;
  expect(revision({ image: { ...IMAGE, volumes: ['/other'] }, given }).rollout).toBe('overlap');
});

test('an image that is not there is known by its name: a start says so', () => {
  expect(revision({ image: undefined })).toMatchObject({
    id: 'golang-docker',
    spec: { image: 'golang-docker', port: 8080 },
  });
});

test('labels that count for nothing are told', () => {
  const warnings: string[] = [];
  revision({ image: { ...IMAGE, labels: { 'cless.nonsense': 'x' } }, warn: (text) => warnings.push(text) });
  expect(warnings).toEqual([expect.stringMatching(/^image golang-docker: cless\.nonsense: "x" is ignored/)]);
});
