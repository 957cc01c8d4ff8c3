import { sampleRevision, sampleService } from '@cless/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../src/index.ts';

/** The contract of a store, as tests. Every driver must pass them. */
export function describeStore(name: string, harness: { create(): Store; cleanUp?(): void }): void {
  describe(`the contract of a store: ${name}`, () => {
    let store: Store;
    let changes: string[];

    beforeEach(() => {
      store = harness.create();
      changes = [];
      store.onChange((service) => changes.push(service));
    });

    afterEach(() => {
      store.close();
      harness.cleanUp?.();
    });

    /** A revision that has been ready. */
    const ready = (service: string): string => {
      const { name: revision } = store.addRevision(service, sampleRevision());
      store.settle(service, revision, { phase: 'ready' });
      return revision;
    };
    const all = (revision: string) => ({ splits: [{ revision, percent: 100 }], tags: {} });

    test('put: a service comes back as it was given, without traffic', () => {
      const definition = sampleService('web', {
        hosts: ['web.example', '*.web.example'],
        revisionHeader: true,
        sticky: true,
        wakeFilter: {
          paths: ['/health', '/robots*'],
          userAgents: ['UptimeRobot'],
          answer: { status: 200, contentType: 'text/plain', body: 'asleep' },
        },
      });
      const service = store.put(definition);
      expect(service).toMatchObject({ ...definition, traffic: { splits: [], tags: {} }, version: 1 });
      expect(Date.parse(service.createdAt)).not.toBeNaN();
      expect(store.service('web')).toEqual(service);
      expect(store.service('other')).toBeUndefined();
      expect(changes).toEqual(['web']);
    });

    test('put: the same again changes nothing, something else makes a new version and keeps the traffic', () => {
      const first = store.put(sampleService('web', { hosts: ['a.example', 'a.example'] }));
      expect(first.hosts).toEqual(['a.example']);
      expect(store.put(sampleService('web', { hosts: ['a.example'] }))).toEqual(first);
      expect(changes).toEqual(['web']);
      const revision = ready('web');
      store.setTraffic('web', all(revision));
      const third = store.put(sampleService('web', { hosts: ['b.example'] }));
      expect(third).toMatchObject({ version: 3, traffic: all(revision), createdAt: first.createdAt });
    });

    test('what was given or got can be changed by its owner without any effect', () => {
      const hosts = ['a.example'];
      store.put(sampleService('web', { hosts }));
      hosts.push('b.example');
      expect(store.service('web')?.hosts).toEqual(['a.example']);
    });

    test('a host belongs to one service', () => {
      store.put(sampleService('one', { hosts: ['a.example', '*.a.example'] }));
      expect(() => store.put(sampleService('two', { hosts: ['b.example', '*.a.example'] }))).toThrow(
        expect.objectContaining({ code: 'HOST_TAKEN', host: '*.a.example', owner: 'one' }),
      );
      expect(store.service('two')).toBeUndefined();
      expect(store.ownerOf('b.example')).toBeUndefined();
      expect(store.ownerOf('*.a.example')).toBe('one');

      store.put(sampleService('one', { hosts: ['a.example'] }));
      store.put(sampleService('two', { hosts: ['*.a.example'] }));
      expect(store.ownerOf('*.a.example')).toBe('two');
      store.remove('one');
      expect(store.ownerOf('a.example')).toBeUndefined();
    });

    test('expectations: a change of another version is refused, and changes nothing', () => {
      const { version } = store.put(sampleService('web'), { expected: 'absent' });
      expect(() => store.put(sampleService('web', { sticky: true }), { expected: 'absent' })).toThrow(
        expect.objectContaining({ code: 'VERSION_CONFLICT', current: version }),
      );
      store.put(sampleService('web', { sticky: true }), { expected: version });
      for (const change of [
        () => store.put(sampleService('web'), { expected: version }),
        () => store.setTraffic('web', { splits: [], tags: {} }, { expected: version }),
        () => store.remove('web', { expected: version }),
        () => store.put(sampleService('other'), { expected: 1 }),
      ]) {
        expect(change).toThrow(expect.objectContaining({ code: 'VERSION_CONFLICT' }));
      }
      expect(store.service('web')?.sticky).toBe(true);
      expect(store.remove('web', { expected: version + 1 })).toBe(true);
      expect(() => store.remove('web', { expected: 1 })).toThrow(
        expect.objectContaining({ code: 'VERSION_CONFLICT', current: undefined }),
      );
    });

    test('neither versions nor revisions are counted from the start again after a removal', () => {
      const before = store.put(sampleService('web'));
      expect(store.addRevision('web', sampleRevision()).name).toBe('web-00001');
      expect(store.remove('web')).toBe(true);
      expect(store.remove('web')).toBe(false);
      expect(store.put(sampleService('web')).version).toBeGreaterThan(before.version);
      expect(store.revisions('web')).toEqual([]);
      expect(store.addRevision('web', sampleRevision()).name).toBe('web-00002');
    });

    test('a revision comes back as it was given, and is pending', () => {
      store.put(sampleService('web'));
      const spec = sampleRevision({
        port: 3000,
        entrypoint: ['/app'],
        command: ['serve', '--fast'],
        user: '1000',
        env: { GREETING: 'hello', EMPTY: '' },
        volumes: [{ source: 'data', target: '/data', readOnly: false }],
        networks: ['backend'],
        memoryBytes: 256 * 1024 * 1024,
        cpus: 0.5,
        pids: 64,
        hardening: 'restricted',
        relaxations: ['writable-root'],
        readiness: { kind: 'http', path: '/ready', statuses: [404, [200, 299]] },
        readyTimeoutMs: 5_000,
        responseTimeoutMs: 1_000,
        stopGraceMs: 100,
        pauseAfterMs: 'never',
        stopAfterMs: 60_000,
      });
      const revision = store.addRevision('web', spec);
      expect(revision).toMatchObject({
        service: 'web',
        name: 'web-00001',
        number: 1,
        spec,
        secretNames: [],
        state: { phase: 'pending' },
      });
      expect(store.revision('web', 'web-00001')).toEqual(revision);
      expect(store.revision('web', 'web-00002')).toBeUndefined();
      expect(store.revision('other', 'web-00001')).toBeUndefined();
      expect(changes).toEqual(['web', 'web']);
    });

    test('secrets are given out by one method only', () => {
      store.put(sampleService('web'));
      const secrets = { TOKEN: 's3cret-value', KEY: 'another-value' };
      const { name: revision, secretNames } = store.addRevision('web', sampleRevision(), secrets);
      expect(secretNames).toEqual(['KEY', 'TOKEN']);
      expect(JSON.stringify([store.services(), store.revisions('web')])).not.toMatch(/value/);
      expect(store.secrets('web', revision)).toEqual(secrets);
      expect(() => store.secrets('web', 'web-00009')).toThrow(
        expect.objectContaining({ code: 'REVISION_NOT_FOUND' }),
      );
    });

    test('the outcome of a deploy is kept; what has been ready once stays so', () => {
      store.put(sampleService('web'));
      store.addRevision('web', sampleRevision());
      store.addRevision('web', sampleRevision());
      const failure = {
        phase: 'failed',
        reason: 'exited with code 3',
        lastLogLines: ['no database'],
      } as const;
      expect(store.settle('web', 'web-00001', failure).state).toMatchObject(failure);
      expect(store.settle('web', 'web-00001', { phase: 'ready' }).state).toMatchObject({ phase: 'ready' });
      const { state } = store.settle('web', 'web-00001', failure);
      expect(state.phase).toBe('ready');
      expect(store.revision('web', 'web-00001')?.state).toEqual(state);
      expect(store.revision('web', 'web-00002')?.state).toEqual({ phase: 'pending' });
    });

    test('traffic is a split of 100 over revisions that have been ready', () => {
      store.put(sampleService('web'));
      const one = ready('web');
      const two = ready('web');
      const { name: pending } = store.addRevision('web', sampleRevision());
      const traffic = {
        splits: [
          { revision: two, percent: 10 },
          { revision: one, percent: 90 },
        ],
        tags: { canary: two, old: one },
      };
      expect(store.setTraffic('web', traffic).traffic).toEqual(traffic);
      expect(store.service('web')?.traffic).toEqual(traffic);

      const wrong = [
        ['INVALID_TRAFFIC', { splits: [{ revision: one, percent: 99 }], tags: {} }],
        ['INVALID_TRAFFIC', { splits: [{ revision: one, percent: 100.5 }], tags: {} }],
        ['INVALID_TRAFFIC', { splits: [50, 50].map((percent) => ({ revision: one, percent })), tags: {} }],
        [
          'INVALID_TRAFFIC',
          { splits: [0, 100].map((percent, i) => ({ revision: `web-0000${i + 1}`, percent })), tags: {} },
        ],
        ['REVISION_NOT_FOUND', all('web-00009')],
        ['REVISION_NOT_READY', all(pending)],
        ['REVISION_NOT_READY', { splits: [], tags: { next: pending } }],
      ] as const;
      for (const [code, bad] of wrong) {
        expect(() => store.setTraffic('web', bad)).toThrow(expect.objectContaining({ code }));
      }
      expect(store.service('web')?.traffic).toEqual(traffic);
      expect(store.setTraffic('web', { splits: [], tags: {} }).traffic.splits).toEqual([]);
    });

    test('a revision with traffic or a tag cannot be removed, others can', () => {
      store.put(sampleService('web'));
      const one = ready('web');
      const two = ready('web');
      store.setTraffic('web', { ...all(one), tags: { next: two } });
      for (const used of [one, two]) {
        expect(() => store.removeRevision('web', used)).toThrow(
          expect.objectContaining({ code: 'REVISION_IN_USE' }),
        );
      }
      store.setTraffic('web', all(one));
      expect(store.removeRevision('web', two)).toBe(true);
      expect(store.removeRevision('web', two)).toBe(false);
      expect(store.revisions('web').map(({ name: revision }) => revision)).toEqual([one]);
      expect(store.remove('web')).toBe(true);
      expect(store.revision('web', one)).toBeUndefined();
    });

    test('what is asked of no service says so', () => {
      for (const ask of [
        () => store.revisions('none'),
        () => store.addRevision('none', sampleRevision()),
        () => store.settle('none', 'none-00001', { phase: 'ready' }),
        () => store.setTraffic('none', { splits: [], tags: {} }),
        () => store.removeRevision('none', 'none-00001'),
        () => store.secrets('none', 'none-00001'),
      ]) {
        expect(ask).toThrow(expect.objectContaining({ code: 'SERVICE_NOT_FOUND' }));
      }
      expect(changes).toEqual([]);
    });

    test('lists come in pages: services by name, revisions the newest first', () => {
      for (const service of ['c', 'a', 'e', 'b', 'd']) store.put(sampleService(service));
      expect(store.count()).toBe(5);
      const names = (page: Parameters<Store['services']>[0]) =>
        store.services(page).map((service) => service.name);
      expect(names({ limit: 2 })).toEqual(['a', 'b']);
      expect(names({ limit: 2, after: 'b' })).toEqual(['c', 'd']);
      expect(names({ after: 'd' })).toEqual(['e']);
      expect(names({ after: 'e' })).toEqual([]);
      for (let i = 0; i < 12; i++) store.addRevision('a', sampleRevision());
      const numbers = (page: Parameters<Store['revisions']>[1]) =>
        store.revisions('a', page).map(({ number }) => number);
      expect(numbers({ limit: 3 })).toEqual([12, 11, 10]);
      expect(numbers({ limit: 3, after: 'a-00010' })).toEqual([9, 8, 7]);
    });

    test('who listens no more is told no more', () => {
      const heard: string[] = [];
      const stop = store.onChange((service) => heard.push(service));
      store.put(sampleService('web'));
      stop();
      store.put(sampleService('other'));
      expect(heard).toEqual(['web']);
    });
  });
}
