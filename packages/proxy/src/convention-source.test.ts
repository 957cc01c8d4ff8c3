import { expect, test, vi } from 'vitest';
import { ConventionSource } from './convention-source.ts';

const defaults = {
  readiness: { check: { kind: 'http' as const }, timeoutMs: 1 },
  idle: { pauseAfterMs: 1, stopAfterMs: 2 },
  stopGraceMs: 1,
};

function source(images: Record<string, { id: string; exposedPorts: number[]; volumes?: string[] }>) {
  const runtime = { image: vi.fn(async (name: string) => images[name]) };
  return { runtime, source: new ConventionSource({ runtime, imageSuffix: '-docker', defaults }) };
}

test('the revision is the image’s id; its single EXPOSE is the port, else 8080', async () => {
  const { source: convention } = source({
    'one-docker': { id: 'sha256:1', exposedPorts: [3000] },
    'two-docker': { id: 'sha256:2', exposedPorts: [80, 443] },
  });
  expect((await convention.resolve('one'))?.choose()).toMatchObject({
    service: 'one',
    id: 'sha256:1',
    spec: { service: 'one', revision: 'sha256:1', image: 'sha256:1', port: 3000 },
  });
  expect((await convention.resolve('two'))?.choose().spec.port).toBe(8080);
});

test('of an image that declares a VOLUME one revision replaces the other', async () => {
  const { source: convention } = source({
    'git-docker': { id: 'sha256:1', exposedPorts: [], volumes: ['/srv/git'] },
    'web-docker': { id: 'sha256:2', exposedPorts: [], volumes: [] },
  });
  expect((await convention.resolve('git'))?.choose().rollout).toBe('replace');
  expect((await convention.resolve('web'))?.choose().rollout).toBeUndefined();
});

test('the runtime is asked once, for what is there and for what is not, until images change', async () => {
  const images: Record<string, { id: string; exposedPorts: number[] }> = {};
  const { runtime, source: convention } = source(images);
  await Promise.all([convention.resolve('x'), convention.resolve('x')]);
  await convention.resolve('x');
  expect(runtime.image).toHaveBeenCalledTimes(1);
  images['x-docker'] = { id: 'sha256:1', exposedPorts: [] };
  convention.refresh();
  expect((await convention.resolve('x'))?.choose().id).toBe('sha256:1');
  expect(convention.known('x')?.choose().id).toBe('sha256:1');
  await convention.resolve('x');
  expect(runtime.image).toHaveBeenCalledTimes(2);
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
  const slow = Promise.withResolvers<undefined>();
  runtime.image.mockReturnValueOnce(slow.promise);
  const asked = convention.resolve('x');
  images['x-docker'] = { id: 'sha256:1', exposedPorts: [] };
  convention.refresh();
  slow.resolve(undefined);
  expect((await asked)?.choose().id).toBe('sha256:1');
});

test('what is known serves on while the runtime cannot be reached', async () => {
  const { runtime, source: convention } = source({ 'x-docker': { id: 'sha256:1', exposedPorts: [] } });
  await convention.resolve('x');
  runtime.image.mockRejectedValue(new Error('unreachable'));
  convention.refresh();
  await new Promise(setImmediate);
  expect(convention.known('x')?.choose().id).toBe('sha256:1');
  await expect(convention.resolve('other')).rejects.toThrow('unreachable');
});
