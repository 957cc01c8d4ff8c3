import { describe, expect, test } from 'vitest';
import { mounts } from './volumes.ts';

const CONTEXT = {
  owner: 'home',
  service: 'web',
  hostPaths: new Map([['/srv/data', '/mnt/disk/data']]),
  declared: [] as readonly string[],
  taken: [] as readonly string[],
};

test('a folder of the host is bound as it really is; a name is a volume of the owner', () => {
  const [folder, named] = mounts(
    [
      { source: '/srv/data', target: '/data', readOnly: true },
      { source: 'cache', target: '/cache', readOnly: false },
    ],
    CONTEXT,
  );
  expect(folder).toEqual({ Type: 'bind', Source: '/mnt/disk/data', Target: '/data', ReadOnly: true });
  expect(named).toMatchObject({
    Type: 'volume',
    Source: 'cless-home-cache',
    Target: '/cache',
    ReadOnly: false,
    VolumeOptions: { NoCopy: false, Labels: { 'cless.managed': 'true', 'cless.owner': 'home' } },
  });
});

describe('what an image declares', () => {
  const declared = (paths: readonly string[], more: Partial<typeof CONTEXT> = {}) =>
    mounts([], { ...CONTEXT, declared: paths, ...more });
  const targets = (...paths: string[]) => declared(paths).map(({ Target }) => Target);

  test('is a volume of the service at each path, once', () => {
    expect(targets('/data', '/data/', '/a/../data', 'b')).toEqual(['/data', '/b']);
    expect(targets('/')).toEqual([]);
  });

  test('gives way to what is mounted there already', () => {
    expect(declared(['/tmp'], { taken: ['/tmp'] })).toEqual([]);
    const volume = { source: 'cache', target: '/data', readOnly: false };
    expect(mounts([volume], { ...CONTEXT, declared: ['/data'] })).toHaveLength(1);
  });

  test('is the same one for each revision, and another for each service, owner and path', () => {
    const name = (path: string, more: Partial<typeof CONTEXT> = {}) => declared([path], more)[0]?.Source;
    expect(name('/data')).toBe(name('/data/'));
    const names = [
      name('/data'),
      name('/data/a'),
      name('/data-a'),
      name('/data', { service: 'shop' }),
      name('/data', { owner: 'other' }),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const one of names) expect(one).toMatch(/^cless-[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
  });
});
