import { expect, test } from 'vitest';
import type { RevisionInput } from './forms.ts';
import { fromSpec, readSpec, toSpec } from './spec.ts';

const IMAGE = { id: 'sha256:1', exposedPorts: [] };
const MIB = 1024 ** 2;

test('each option is stored in the units of programs, and given back as it was written', () => {
  const input: RevisionInput = {
    image: 'web:1',
    port: 3000,
    entrypoint: ['/app'],
    command: ['--verbose'],
    user: '1000:1000',
    env: { A: 'a' },
    volumes: [{ source: 'data', target: '/data', readOnly: true }],
    networks: ['db_default'],
    limits: { memory: '256MiB', cpus: 0.5, pids: 100 },
    hardening: 'restricted',
    relaxations: ['root-user'],
    readiness: { kind: 'http', path: '/ready', statuses: [404, '200-299'], timeout: '5s' },
    idle: { pauseAfter: '90s', stopAfter: 'never' },
    rollout: 'overlap',
    timeouts: { response: '1m', stop: '250ms' },
  };
  const spec = toSpec({ ...input, secrets: { TOKEN: 'x' } }, IMAGE);
  expect(spec).toEqual({
    image: 'web:1',
    imageId: 'sha256:1',
    port: 3000,
    entrypoint: ['/app'],
    command: ['--verbose'],
    user: '1000:1000',
    env: { A: 'a' },
    volumes: [{ source: 'data', target: '/data', readOnly: true }],
    networks: ['db_default'],
    memoryBytes: 256 * MIB,
    cpus: 0.5,
    pids: 100,
    hardening: 'restricted',
    relaxations: ['root-user'],
    readiness: { kind: 'http', path: '/ready', statuses: [404, [200, 299]] },
    readyTimeoutMs: 5_000,
    pauseAfterMs: 90_000,
    stopAfterMs: 'never',
    rollout: 'overlap',
    responseTimeoutMs: 60_000,
    stopGraceMs: 250,
  });
  expect(fromSpec(spec)).toEqual(input);
});

test('what is not written is left to the installation, or is as the image says', () => {
  const empty = { env: {}, volumes: [], networks: [], relaxations: [] };
  expect(toSpec({ image: 'web' }, IMAGE)).toEqual({ image: 'web', imageId: 'sha256:1', ...empty });
  expect(fromSpec(toSpec({ image: 'web' }, IMAGE))).toEqual({ image: 'web' });
  expect(toSpec({ image: 'web' }, { ...IMAGE, exposedPorts: [3000] }).port).toBe(3000);
  expect(toSpec({ image: 'web' }, { ...IMAGE, exposedPorts: [80, 443] }).port).toBeUndefined();
});

test('what is written of a group brings the default of the rest, and nothing else does', () => {
  expect(toSpec({ image: 'web', readiness: { timeout: '5s' } }, IMAGE)).toMatchObject({
    readiness: { kind: 'http' },
    readyTimeoutMs: 5_000,
  });
  // Stored without it by an earlier version.
  const spec = readSpec({ image: 'web', imageId: 'sha256:1', readyTimeoutMs: 5_000 });
  expect(fromSpec(spec).readiness).toEqual({ kind: 'http', timeout: '5s' });
});

test.each<[string, Partial<RevisionInput>, readonly string[], string | undefined]>([
  ['writes nothing', {}, [], undefined],
  ['writes a volume', { volumes: [{ source: 'a', target: '/a', readOnly: false }] }, [], 'replace'],
  ['reads a volume', { volumes: [{ source: 'a', target: '/a', readOnly: true }] }, [], undefined],
  ['writes what the image declares', {}, ['/a'], 'replace'],
  [
    'reads what the image declares',
    { volumes: [{ source: 'a', target: '/a', readOnly: true }] },
    ['/a'],
    undefined,
  ],
  ['says it', { rollout: 'overlap' }, ['/a'], 'overlap'],
])('the rollout of a revision that %s', (_, input, volumes, rollout) => {
  expect(toSpec({ image: 'web', ...input }, { ...IMAGE, volumes }).rollout).toBe(rollout);
});

test('a spec that was stored when there were fewer options is whole', () => {
  expect(readSpec({ image: 'web', imageId: 'sha256:1', env: { A: 'a' } })).toEqual({
    image: 'web',
    imageId: 'sha256:1',
    env: { A: 'a' },
    volumes: [],
    networks: [],
    relaxations: [],
  });
});
