import { describe, expect, test } from 'vitest';
import { hardeningConfig, isRoot, type Relaxation } from './hardening.ts';

const ALL: readonly Relaxation[] = [
  'new-privileges',
  'default-capabilities',
  'writable-root',
  'root-user',
  'open-files',
];

describe('levels', () => {
  test('off leaves all to the engine', () => {
    expect(hardeningConfig('off')).toEqual({});
    expect(hardeningConfig('off', ALL)).toEqual({});
  });

  test('baseline keeps what images need that become somebody else by themselves', () => {
    const config = hardeningConfig('baseline');
    expect(config).toMatchObject({ SecurityOpt: ['no-new-privileges'], CapDrop: ['ALL'] });
    expect(config.CapAdd).toEqual(expect.arrayContaining(['SETUID', 'SETGID', 'NET_BIND_SERVICE']));
    expect(config.CapAdd).not.toContain('NET_RAW');
    expect(config.ReadonlyRootfs).toBeUndefined();
  });

  test('restricted keeps nothing, and writes in /tmp only', () => {
    const config = hardeningConfig('restricted');
    expect(config).toMatchObject({ CapDrop: ['ALL'], ReadonlyRootfs: true });
    expect(config.CapAdd).toBeUndefined();
    expect(Object.keys(config.Tmpfs ?? {})).toEqual(['/tmp']);
    expect(config.Tmpfs?.['/tmp']).toMatch(/nosuid,nodev,noexec/);
  });

  test.each(['baseline', 'restricted'] as const)('%s: no core dumps, bounded files, first to go', (level) => {
    expect(hardeningConfig(level)).toMatchObject({ OomScoreAdj: 500, IpcMode: 'private' });
    expect(hardeningConfig(level).Ulimits?.map(({ Name }) => Name)).toEqual(['nofile', 'core']);
  });
});

describe('relaxations give up one thing each', () => {
  test.each([
    ['new-privileges', ['SecurityOpt']],
    ['default-capabilities', ['CapDrop']],
    ['writable-root', ['ReadonlyRootfs', 'Tmpfs']],
    ['root-user', []],
  ] as const)('%s', (relaxation, gone) => {
    const whole = Object.keys(hardeningConfig('restricted'));
    const left = Object.keys(hardeningConfig('restricted', [relaxation]));
    expect(whole.filter((key) => !left.includes(key)).sort()).toEqual([...gone].sort());
  });

  test('open-files, but still no core dumps', () => {
    expect(hardeningConfig('baseline', ['open-files']).Ulimits?.map(({ Name }) => Name)).toEqual(['core']);
  });

  test('with its default capabilities a container gets those of the engine, not ours', () => {
    expect(hardeningConfig('baseline', ['default-capabilities'])).not.toHaveProperty('CapAdd');
  });
});

test.each([
  ['', true],
  ['root', true],
  ['0', true],
  ['00', true],
  ['root:staff', true],
  ['0:1000', true],
  [':1000', true],
  ['1000', false],
  ['1000:0', false],
  ['node', false],
  ['rooty', false],
])('the user %j is root: %s', (user, is) => {
  expect(isRoot(user)).toBe(is);
});
