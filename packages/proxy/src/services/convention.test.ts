import { expect, test, vi } from 'vitest';
import { ConventionSource } from './convention.ts';

const defaults = {
  readiness: { check: { kind: 'http' as const }, timeoutMs: 1 },
  idle: { pauseAfterMs: 1, stopAfterMs: 2 },
  stopGraceMs: 1,
};

function source(images: Record<string, { id: string; exposedPorts: number[]; volumes?: string[] }>) {
  const runtime = {
    image: vi.fn(async (name: string) => images[name]),
    listImages: vi.fn(
      async (): Promise<ReadonlyMap<string, string>> =>
        new Map(Object.entries(images).map(([name, { id }]) => [name, id])),
    ),
  };
  return { runtime, source: new ConventionSource({ runtime, imageSuffix: '-docker', defaults }) };
}

test('the revision is the image’s id; its single EXPOSE is the port, else 8080', async () => {
  const { source: convention } = source({
    'one-docker': { id: 'sha256:1', exposedPorts: [3000] },
    'two-docker': { id: 'sha256:2', exposedPorts: [80, 443] },
  });
  expect((await convention.resolve('one'))?.revision).toMatchObject({
    service: 'one',
    id: 'sha256:1',
    spec: { service: 'one', revision: 'sha256:1', image: 'sha256:1', port: 3000 },
  });
  expect((await convention.resolve('two'))?.revision.spec.port).toBe(8080);
});

test('an image’s own labels are the defaults of its service; what counts for nothing is told', async () => {
  const warnings: string[] = [];
  const labels = {
    'cless.port': '9000',
    'cless.ready': 'tcp',
    'cless.stop-after': 'never',
    'cless.host': 'x.example',
  };
  const convention = new ConventionSource({
    runtime: {
      image: async () => ({ id: 'sha256:1', exposedPorts: [80, 9000], labels }),
      listImages: async () => new Map([['x-docker', 'sha256:1']]),
    },
    imageSuffix: '-docker',
    defaults,
    warn: (message) => warnings.push(message),
  });
  expect((await convention.resolve('x'))?.revision).toMatchObject({
    spec: { port: 9000 },
    readiness: { check: { kind: 'tcp' }, timeoutMs: 1 },
    idle: { pauseAfterMs: 1, stopAfterMs: undefined },
    stopGraceMs: 1,
  });
  expect(warnings).toEqual([expect.stringMatching(/^image x-docker: cless\.host: "x\.example" is ignored/)]);
});

test('of an image that declares a VOLUME one revision replaces the other', async () => {
  const { source: convention } = source({
    'git-docker': { id: 'sha256:1', exposedPorts: [], volumes: ['/srv/git'] },
    'web-docker': { id: 'sha256:2', exposedPorts: [], volumes: [] },
  });
  expect((await convention.resolve('git'))?.revision.rollout).toBe('replace');
  expect((await convention.resolve('web'))?.revision.rollout).toBeUndefined();
});

test('names that strangers think of cost one list, and an image one look, until images change', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {};
  const { runtime, source: convention } = source(images);
  const flood = () =>
    Promise.all(Array.from({ length: 20_000 }, (_, i) => convention.resolve(`stranger-${i}`)));
  expect(new Set(await flood())).toEqual(new Set([undefined]));
  await flood();
  await Promise.all([convention.resolve('x'), convention.resolve('x')]);
  expect(runtime.listImages).toHaveBeenCalledTimes(1);
  expect(runtime.image).toHaveBeenCalledTimes(0);

  images['x-docker'] = { id: 'sha256:1', exposedPorts: [] };
  convention.refresh();
  const [found, same] = await Promise.all([convention.resolve('x'), convention.resolve('x'), flood()]);
  expect(found?.revision.id).toBe('sha256:1');
  expect(same).toBe(found);
  expect(convention.known('x')).toBe(found);
  await convention.resolve('x');
  expect(runtime.listImages).toHaveBeenCalledTimes(2);
  expect(runtime.image).toHaveBeenCalledTimes(1);
});

test('a thousand changes at once cost two lists, and no look at what has stayed as it was', async () => {
  const images = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`s${i}-docker`, { id: `sha256:${i}`, exposedPorts: [] }]),
  );
  const { runtime, source: convention } = source(images);
  await Promise.all(Object.keys(images).map((name) => convention.resolve(name.replace('-docker', ''))));
  expect(runtime.image).toHaveBeenCalledTimes(500);
  const list = Promise.withResolvers<ReadonlyMap<string, string>>();
  runtime.listImages.mockReturnValueOnce(list.promise);
  convention.refresh();
  await new Promise(setImmediate);
  images['s7-docker'] = { id: 'sha256:new', exposedPorts: [] };
  for (let i = 0; i < 1_000; i++) {
    convention.refresh();
    await undefined;
  }
  list.resolve(new Map());
  await vi.waitFor(() => expect(convention.known('s7')?.revision.id).toBe('sha256:new'));
  expect(convention.known('s8')?.revision.id).toBe('sha256:8');
  expect(runtime.listImages).toHaveBeenCalledTimes(3);
  expect(runtime.image).toHaveBeenCalledTimes(501);
});

test('an image that changes while it is looked at is looked at again', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {
    'x-docker': { id: 'sha256:1', exposedPorts: [] },
  };
  const { runtime, source: convention } = source(images);
  const look = Promise.withResolvers<{ id: string; exposedPorts: number[] }>();
  runtime.image.mockReturnValueOnce(look.promise);
  const asked = convention.resolve('x');
  await new Promise(setImmediate);
  images['x-docker'] = { id: 'sha256:2', exposedPorts: [] };
  convention.refresh();
  await new Promise(setImmediate);
  look.resolve({ id: 'sha256:1', exposedPorts: [] });
  expect((await asked)?.revision.id).toBe('sha256:2');
  expect(convention.known('x')?.revision.id).toBe('sha256:2');
});

test('a moved name retires the old revision, a removed one too', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {
    'x-docker': { id: 'sha256:1', exposedPorts: [] },
  };
  const { source: convention } = source(images);
  const retired: string[] = [];
  convention.onRetired(({ id }) => retired.push(id));
  await convention.resolve('x');
  images['x-docker'] = { id: 'sha256:2', exposedPorts: [] };
  convention.refresh();
  await vi.waitFor(() => expect(retired).toEqual(['sha256:1']));
  delete images['x-docker'];
  convention.refresh();
  await vi.waitFor(() => expect(retired).toEqual(['sha256:1', 'sha256:2']));
  expect(await convention.resolve('x')).toBeUndefined();
});

test('an answer from before a change is not kept', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {};
  const { runtime, source: convention } = source(images);
  const slow = Promise.withResolvers<ReadonlyMap<string, string>>();
  runtime.listImages.mockReturnValueOnce(slow.promise);
  const asked = convention.resolve('x');
  await new Promise(setImmediate);
  images['x-docker'] = { id: 'sha256:1', exposedPorts: [] };
  convention.refresh();
  await new Promise(setImmediate);
  slow.resolve(new Map());
  expect((await asked)?.revision.id).toBe('sha256:1');
});

test('what is known serves on while the runtime cannot be reached', async () => {
  const { runtime, source: convention } = source({ 'x-docker': { id: 'sha256:1', exposedPorts: [] } });
  await convention.resolve('x');
  runtime.listImages.mockRejectedValue(new Error('unreachable'));
  convention.refresh();
  await new Promise(setImmediate);
  expect(convention.known('x')?.revision.id).toBe('sha256:1');
  await expect(convention.resolve('other')).rejects.toThrow('unreachable');
  expect((await convention.resolve('x'))?.revision.id).toBe('sha256:1');
  // And earlier answers are not used.
  runtime.listImages.mockReset();
  runtime.listImages.mockResolvedValue(new Map([['other-docker', 'sha256:2']]));
  runtime.image.mockResolvedValue({ id: 'sha256:2', exposedPorts: [] });
  expect((await convention.resolve('other'))?.revision.id).toBe('sha256:2');
});

test('a service that is given is there with and without its image, and a new image is a new revision', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {
    one: { id: 'sha256:1', exposedPorts: [] },
    'x-docker': { id: 'sha256:2', exposedPorts: [] },
  };
  const runtime = {
    image: async (name: string) => images[name],
    listImages: async () => new Map(Object.entries(images).map(([name, { id }]) => [name, id])),
  };
  const services = new Map([
    ['web', { image: 'one' }],
    ['late', { image: 'late' }],
    ['kept', { image: 'one', pauseAfterMs: 'never', stopAfterMs: 'never' } as const],
  ]);
  const given = new ConventionSource({ runtime, imageSuffix: undefined, services, defaults });
  const [retired, kept]: string[][] = [[], []];
  given.onRetired(({ service, id }) => retired?.push(`${service} ${id}`));
  given.onKept(({ service, id }) => kept?.push(`${service} ${id}`));
  expect((await given.resolve('web'))?.revision.id).toBe('sha256:1');
  expect((await given.resolve('late'))?.revision.id).toBe('late');
  expect(await given.resolve('x')).toBeUndefined(); // without a suffix there is no convention
  await vi.waitFor(() => expect(kept).toEqual(['kept sha256:1']));

  images.late = { id: 'sha256:3', exposedPorts: [] };
  images.one = { id: 'sha256:4', exposedPorts: [] };
  given.refresh();
  await vi.waitFor(() => expect(given.known('kept')?.revision.id).toBe('sha256:4'));
  await vi.waitFor(() => expect(given.known('late')?.revision.id).toBe('sha256:3'));
  expect(retired?.toSorted()).toEqual(['kept sha256:1', 'late late', 'web sha256:1']);
  expect(kept).toEqual(['kept sha256:1', 'kept sha256:4']);
});

test('one that is given by an id, which no list names, stays the same revision', async () => {
  const runtime = {
    image: async () => ({ id: 'sha256:12', exposedPorts: [] }),
    listImages: async () => new Map<string, string>(),
  };
  const services = new Map([['web', { image: 'sha256:1' }]]);
  const given = new ConventionSource({ runtime, imageSuffix: undefined, services, defaults });
  const retired = vi.fn();
  given.onRetired(retired);
  expect((await given.resolve('web'))?.revision.id).toBe('sha256:12');
  const before = given.known('web');
  given.refresh();
  expect(await given.resolve('web')).toBe(before);
  expect(retired).not.toHaveBeenCalled();
});
