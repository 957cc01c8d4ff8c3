import type { Revision } from '@cless/model';
import { beforeEach, expect, test } from 'vitest';
import { SourceChain } from './chain.ts';
import { SoleRevision } from './convention.ts';
import type { ServedService, ServiceSource } from './source.ts';

/** A source with given services. */
class GivenSource implements ServiceSource {
  readonly services = new Map<string, ServedService>();
  /** Those that it has only when it is asked. */
  readonly hidden = new Set<string>();
  asked = 0;
  refreshed = 0;
  retire: (revision: Revision) => void = () => {};
  keep: (revision: Revision) => void = () => {};

  serve(service: string, id: string): void {
    this.services.set(service, new SoleRevision(revision(service, id)));
  }

  known(service: string): ServedService | undefined {
    return this.hidden.has(service) ? undefined : this.services.get(service);
  }

  async resolve(service: string): Promise<ServedService | undefined> {
    this.asked += 1;
    return this.services.get(service);
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    return this.services.get(service)?.revisions.find((one) => one.id === id);
  }

  changed(): void {}

  refresh(): void {
    this.refreshed += 1;
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.retire = listener;
  }

  onKept(listener: (revision: Revision) => void): void {
    this.keep = listener;
  }
}

function revision(service: string, id: string): Revision {
  return {
    service,
    id,
    spec: { service, revision: id, image: 'image', port: 80 },
    readiness: { check: { kind: 'tcp' }, timeoutMs: 1_000 },
    idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
    stopGraceMs: 0,
  };
}

/** A registered service without traffic. */
const UNSERVED: ServedService = {
  serves: false,
  revisions: [],
  choose: () => {
    throw new Error('unserved');
  },
};

let first: GivenSource;
let second: GivenSource;
let third: GivenSource;
let chain: SourceChain;
let retired: string[];

beforeEach(() => {
  first = new GivenSource();
  second = new GivenSource();
  third = new GivenSource();
  chain = new SourceChain([first, second, third]);
  retired = [];
  chain.onRetired(({ id }) => retired.push(id));
});

const servedBy = async (service: string) => (await chain.resolve(service))?.revisions.map(({ id }) => id);

test('a service is that of the first source that has it', async () => {
  second.serve('web', 'second');
  third.serve('web', 'third');
  third.serve('api', 'third');
  expect(chain.known('web')?.revisions[0]?.id).toBe('second');
  expect(await servedBy('web')).toEqual(['second']);
  expect(await servedBy('api')).toEqual(['third']);
  expect(chain.known('none')).toBeUndefined();
  expect(await servedBy('none')).toBeUndefined();
});

test('one that is known only when it is asked comes before those behind it all the same', async () => {
  second.serve('web', 'second');
  second.hidden.add('web');
  third.hidden.add('web');
  third.serve('web', 'third');
  expect(chain.known('web')).toBeUndefined(); // to be asked
  expect(await servedBy('web')).toEqual(['second']);
  expect(third.asked).toBe(0);
});

test('a name that is not served is left to those behind, and is nobody else’s if they do not have it', async () => {
  first.services.set('web', UNSERVED);
  expect(chain.known('web')).toBeUndefined();
  expect(await chain.resolve('web')).toBe(UNSERVED);
  third.serve('web', 'third');
  expect(chain.known('web')?.serves).toBe(true);
  expect(await servedBy('web')).toEqual(['third']);
  expect(await chain.revision('web', 'third')).toMatchObject({ id: 'third' });
});

test('only the one that serves a service says which of its revisions are wanted', async () => {
  first.serve('web', 'first');
  third.serve('web', 'third');
  expect(await chain.revision('web', 'first')).toMatchObject({ id: 'first' });
  expect(await chain.revision('web', 'third')).toBeUndefined();
  expect(await chain.revision('none', 'third')).toBeUndefined();
});

test('what those behind have of a service retires when one before them begins to serve it', () => {
  third.serve('web', 'third');
  chain.changed('web');
  expect(retired).toEqual([]);
  second.services.set('web', UNSERVED);
  chain.changed('web');
  expect(retired).toEqual([]);
  second.serve('web', 'second');
  chain.changed('web');
  expect(retired).toEqual(['third']);
});

test('what is told, and what the sources tell, goes through', () => {
  const kept: string[] = [];
  chain.onKept(({ id }) => kept.push(id));
  chain.refresh();
  expect([first, second, third].map(({ refreshed }) => refreshed)).toEqual([1, 1, 1]);
  second.retire(revision('web', 'one'));
  third.keep(revision('web', 'two'));
  expect([retired, kept]).toEqual([['one'], ['two']]);
});
