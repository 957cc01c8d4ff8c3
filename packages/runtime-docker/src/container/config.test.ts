import type { InstanceSpec } from '@cless/model';
import { describe, expect, test } from 'vitest';
import { containerConfig, specHash } from './config.ts';

const SPEC: InstanceSpec = { service: 'web', revision: 'web-00001', image: 'web:1', port: 8080 };

const config = (more: Partial<InstanceSpec> = {}, imageUser = 'node', state?: string) =>
  containerConfig(
    { ...SPEC, ...more },
    {
      owner: 'home',
      network: 'n1',
      state,
      maker: undefined,
      hostPort: 19_000,
      imageUser,
      imageVolumes: [],
      hostPaths: new Map(),
    },
  );

describe('the hash of a spec', () => {
  test('is of what is said, in whatever order, and of defaults as if they were said', () => {
    const hash = specHash({ ...SPEC, env: { A: '1', B: '2' } });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(specHash({ env: { B: '2', A: '1' }, ...SPEC })).toBe(hash);
    expect(specHash({ ...SPEC, hardening: 'baseline', volumes: [], cpus: 1 })).toBe(specHash(SPEC));
  });

  test.each<Partial<InstanceSpec>>([
    { image: 'web:2' },
    { port: 80 },
    { env: { A: '' } },
    { command: [] },
    { cpus: 2 },
    { hardening: 'off' },
    { volumes: [{ source: 'a', target: '/a', readOnly: true }] },
  ])('is another one with %j', (more) => {
    expect(specHash({ ...SPEC, ...more })).not.toBe(specHash(SPEC));
  });

  test('tells the order of arguments', () => {
    expect(specHash({ ...SPEC, command: ['a', 'b'] })).not.toBe(specHash({ ...SPEC, command: ['b', 'a'] }));
  });
});

describe('a container', () => {
  test('is bounded, published on this host only, and never privileged', () => {
    expect(config().HostConfig).toMatchObject({
      Privileged: false,
      Memory: 512 * 1024 ** 2,
      MemorySwap: 512 * 1024 ** 2,
      NanoCpus: 1e9,
      PidsLimit: 256,
      RestartPolicy: { Name: 'no' },
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '19000' }] },
    });
    expect(config({ cpus: 0.1, memoryBytes: 7, pids: 3 }).HostConfig).toMatchObject({
      NanoCpus: 1e8,
      Memory: 7,
      PidsLimit: 3,
    });
  });

  test('has the variables of the contract, whatever the spec says of them', () => {
    const { Env } = config({ env: { A: 'b=c', PORT: '1' } });
    expect(Env).toEqual(
      expect.arrayContaining(['A=b=c', 'PORT=8080', 'K_SERVICE=web', 'K_REVISION=web-00001']),
    );
    expect(Env?.filter((one) => one.startsWith('PORT='))).toHaveLength(1);
  });

  test('is found by its labels', () => {
    expect(config().Labels).toMatchObject({
      'cless.managed': 'true',
      'cless.owner': 'home',
      'cless.service': 'web',
      'cless.revision': 'web-00001',
      'cless.spec': specHash(SPEC),
    });
    const names = (labels: object = {}) => Object.keys(labels).length;
    expect(names(config({}, 'node', 's1').Labels)).toBe(names(config().Labels) + 1);
  });

  test('runs what its image does, unless something else is said', () => {
    for (const field of ['Entrypoint', 'Cmd', 'User']) expect(config()).not.toHaveProperty(field);
    expect(config({ entrypoint: ['sh'], command: [], user: '7' })).toMatchObject({
      Entrypoint: ['sh'],
      Cmd: [],
      User: '7',
    });
  });

  test.each<[string, Partial<InstanceSpec>, string, string | undefined]>([
    ['root becomes nobody', {}, '', '65534:65534'],
    ['also where the spec says root', { user: '0' }, 'node', '65534:65534'],
    ['somebody else stays', {}, 'node', undefined],
    ['also by the spec', { user: '1000' }, '', '1000'],
    ['unless root is let', { relaxations: ['root-user'] }, '', undefined],
  ])('restricted: %s', (_, more, imageUser, user) => {
    expect(config({ hardening: 'restricted', ...more }, imageUser).User).toBe(user);
  });

  test('baseline lets an image start as root', () => {
    expect(config({}, '')).not.toHaveProperty('User');
  });
});
