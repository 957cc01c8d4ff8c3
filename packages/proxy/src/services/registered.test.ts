import { Router } from '@cless/router';
import { MemoryStore } from '@cless/store';
import { FixedRuntime, sampleRevision, sampleService } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { SourceChain } from './chain.ts';
import { ConventionSource } from './convention.ts';
import { RegisteredSource } from './registered.ts';

const defaults = {
  readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
  idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
  stopGraceMs: 10_000,
} as const;
const request = { header: () => undefined };

let store: MemoryStore;
let router: Router;
let registered: RegisteredSource;
/** Registered services, then the convention. */
let source: SourceChain;
let retired: string[];
let kept: string[];

function build(): void {
  router = new Router();
  const runtime = new FixedRuntime({ golang: { host: '127.0.0.1', port: 1 } });
  registered = new RegisteredSource({ store, router, defaults });
  source = new SourceChain([registered, new ConventionSource({ runtime, imageSuffix: '', defaults })]);
  store.onChange((name) => source.changed(name));
  retired = [];
  source.onRetired(({ id }) => retired.push(id));
  kept = [];
  source.onKept(({ id }) => kept.push(id));
}

beforeEach(() => {
  store = new MemoryStore();
  build();
});

/** A revision that has been ready. */
function ready(service: string, more: Parameters<typeof sampleRevision>[0] = {}, secrets = {}): string {
  const { name } = store.addRevision(service, sampleRevision(more), secrets);
  store.settle(service, name, { phase: 'ready' });
  return name;
}

function all(revision: string, tags: Record<string, string> = {}) {
  return { splits: [{ revision, percent: 100 }], tags };
}

test('what is registered is served as the store says, at once; the rest as the convention says', async () => {
  store.put(sampleService('web', { hosts: ['web.example'] }));
  expect(router.route('web.example')).toMatchObject({ service: 'web' });
  const one = ready('web');
  store.setTraffic('web', all(one, { next: one }));
  expect(source.known('web')?.choose(request, '/', undefined).revision).toMatchObject({
    service: 'web',
    id: one,
  });
  expect(router.route('next--web.example')).toMatchObject({ service: 'web', tag: 'next' });

  expect(router.route('golang.example')).toEqual({ service: 'golang' });
  expect((await source.resolve('golang'))?.choose(request, '/', undefined).revision.id).toBe('golang');
  expect(await source.revision('golang', 'golang')).toMatchObject({ id: 'golang' });
  expect(await source.resolve('none')).toBeUndefined();

  store.remove('web');
  expect(router.route('web.example')).toEqual({ service: 'web' });
  expect(source.known('web')).toBeUndefined();
});

test('a name is taken over from the convention by the first revision that serves, not by the attempt', async () => {
  store.put(sampleService('golang'));
  expect(router.route('golang.example')).toEqual({ service: 'golang' });
  expect(source.known('golang')).toBeUndefined(); // to be asked
  expect((await source.resolve('golang'))?.choose(request, '/', undefined).revision.id).toBe('golang');
  expect(await source.revision('golang', 'golang')).toMatchObject({ id: 'golang' });
  store.setTraffic('golang', all(ready('golang')));
  expect(source.known('golang')?.choose(request, '/', undefined).revision.id).toBe('golang-00001');
  expect(retired).toEqual(['golang']); // the instance of the convention stops
  expect(await source.revision('golang', 'golang')).toBeUndefined();

  store.put(sampleService('empty'));
  const empty = await source.resolve('empty');
  expect(() => empty?.choose(request, '/', undefined)).toThrow('no revision of empty gets traffic yet');
});

test('what is there at the start is found, however much', () => {
  for (let i = 0; i < 2_500; i++) store.put(sampleService(`s${i}`, { hosts: [`s${i}.example`] }));
  build();
  for (const i of [0, 999, 1_000, 2_499])
    expect(router.route(`s${i}.example`)).toMatchObject({ service: `s${i}` });
});

test('a revision is what the store says, and else what the installation says', () => {
  store.put(sampleService('web'));
  const plain = ready('web');
  expect(registered.stored('web', plain)).toMatchObject({
    spec: { image: 'sha256:1', port: 8080 },
    ...defaults,
    secrets: [],
  });
  const special = ready(
    'web',
    {
      port: 3000,
      entrypoint: ['/app'],
      env: { A: 'a', B: 'b' },
      volumes: [{ source: 'data', target: '/data', readOnly: true }],
      hardening: 'off',
      readiness: { kind: 'http', path: '/ready', statuses: [404] },
      readyTimeoutMs: 5,
      responseTimeoutMs: 6,
      rollout: 'replace',
      stopGraceMs: 7,
      pauseAfterMs: 'never',
      stopAfterMs: 8,
    },
    { B: 'secret' },
  );
  expect(registered.stored('web', special)).toMatchObject({
    spec: {
      port: 3000,
      entrypoint: ['/app'],
      env: { A: 'a', B: 'secret' },
      volumes: [{ source: 'data', target: '/data', readOnly: true }],
      hardening: 'off',
    },
    readiness: { check: { kind: 'http', path: '/ready', statuses: [404] }, timeoutMs: 5 },
    idle: { pauseAfterMs: undefined, stopAfterMs: 8 },
    rollout: 'replace',
    stopGraceMs: 7,
    responseTimeoutMs: 6,
    secrets: ['secret'],
  });
  expect(registered.stored('web', special)).toBe(registered.stored('web', special));
  expect(registered.stored('web', 'web-00009')).toBeUndefined();
});

test('revisions retire when they lose their last traffic and their last tag, not before', async () => {
  store.put(sampleService('web'));
  const [one, two] = [ready('web'), ready('web')];
  store.setTraffic('web', all(one));
  store.setTraffic('web', all(two, { old: one }));
  expect(retired).toEqual([]);
  expect(await source.revision('web', one)).toMatchObject({ id: one });
  store.setTraffic('web', all(two));
  expect(retired).toEqual([one]);
  expect(await source.revision('web', one)).toBeUndefined();
  store.put(sampleService('web', { hosts: ['a.example'] }));
  expect(retired).toEqual([one]);
  store.remove('web');
  expect(retired).toEqual([one, one, two]);
});

test('one that is being deployed does not retire because of other changes', () => {
  store.put(sampleService('web'));
  store.setTraffic('web', all(ready('web')));
  const { name } = store.addRevision('web', sampleRevision());
  registered.stored('web', name);
  store.put(sampleService('web', { sticky: true }));
  expect(retired).toEqual([]);
  store.removeRevision('web', name);
  expect(retired).toEqual([name]);
});

test('a header chooses among all that have been ready, where that is switched on', () => {
  store.put(sampleService('web', { revisionHeader: true }));
  const [one, two] = [ready('web'), ready('web')];
  const { name: pending } = store.addRevision('web', sampleRevision());
  store.setTraffic('web', all(two));
  const choose = (revision: string) =>
    source.known('web')?.choose({ header: () => revision }, '/', undefined).revision.id;
  expect(choose(one)).toBe(one);
  expect(() => choose(pending)).toThrow(expect.objectContaining({ code: 'REVISION_NOT_FOUND' }));
});

test('changes that are told late, and in whatever order, leave the hosts as they are in the store', () => {
  const late = new MemoryStore();
  late.put(sampleService('a', { hosts: ['one.example'] }));
  late.put(sampleService('b', { hosts: ['two.example'] }));
  for (const order of [
    ['a', 'b', 'a'],
    ['b', 'a'],
    ['a', 'b'],
  ]) {
    const table = new Router({ convention: false });
    const behind = new RegisteredSource({ store: late, router: table, defaults });
    // They swap, which takes three changes.
    const [one = '', two = ''] = ['a', 'b'].map((name) => late.service(name)?.hosts[0]);
    late.put(sampleService('a', { hosts: [] }));
    late.put(sampleService('b', { hosts: [one] }));
    late.put(sampleService('a', { hosts: [two] }));
    for (const name of order) behind.changed(name);
    expect([table.route(one), table.route(two)]).toMatchObject([{ service: 'b' }, { service: 'a' }]);
  }
});

test('a revision with traffic that neither pauses nor stops is to run unasked: at the start, and when it gets traffic', () => {
  const never = { pauseAfterMs: 'never', stopAfterMs: 'never' } as const;
  store.put(sampleService('db'));
  const one = ready('db', never);
  const two = ready('db', never);
  expect(kept).toEqual([]);
  store.setTraffic('db', all(one, { next: two }));
  expect(kept).toEqual([one]);
  store.setTraffic('db', all(one));
  expect(kept).toEqual([one]);
  store.put(sampleService('web'));
  store.setTraffic('web', all(ready('web', { stopAfterMs: 'never' })));
  expect(kept).toEqual([one]);
  build();
  expect(kept).toEqual([one]);
});
