import { FakeClock, FakeRuntime } from '@cless/testkit';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { ConventionSource } from '../services/convention.ts';
import { FakeWorker } from './fake-worker.ts';
import { Workers } from './primary.ts';

const where = { host: '127.0.0.1', port: 8080 };

let clock: FakeClock;
let runtime: FakeRuntime;
let convention: ConventionSource;
let forked: FakeWorker[];
let workers: Workers;
let logged: string[];
/** How often there can be no new process. */
let failingForks: number;

function build(): void {
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line).msg) });
  const activator = {
    lease: async () => Promise.reject(new Error('no leases here')),
    instance: () => undefined,
  };
  const surroundings = { clock, source: convention, convention, activator };
  workers = new Workers({
    ...surroundings,
    log,
    count: 2,
    reserve: async (wanted) => wanted,
    fork: () => {
      if (failingForks-- > 0) throw new Error('spawn ENOMEM');
      const worker = new FakeWorker(clock, () => 1);
      forked.push(worker);
      return worker.process;
    },
  });
}

async function start(): Promise<void> {
  const listening = workers.listen(where);
  await clock.advance(10);
  await listening;
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  runtime.images.set('web', 'web-1');
  convention = new ConventionSource({
    runtime,
    imageSuffix: '',
    defaults: {
      readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
      idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
      stopGraceMs: 0,
    },
  });
  forked = [];
  logged = [];
  failingForks = 0;
  build();
});

test('all listen in the same place', async () => {
  const listening = workers.listen(where);
  await clock.advance(10);
  expect(await listening).toMatchObject({ address: '127.0.0.1', port: 8080 });
  expect(forked).toHaveLength(2);
});

test('if one cannot listen, none does', async () => {
  const listening = workers.listen({ host: 'taken', port: 80 }).catch((error: unknown) => error);
  await clock.advance(10);
  expect(await listening).toMatchObject({ code: 'EADDRINUSE' });
  expect(forked.map(({ isAlive }) => isAlive)).toEqual([false, false]);
  await clock.advance(60_000);
  expect(forked).toHaveLength(2);
  expect(clock.timers).toBe(0);
});

test('one that dies is replaced; if it dies again and again, ever more slowly', async () => {
  await start();
  forked[0]?.die();
  await clock.advance(200);
  expect(forked).toHaveLength(3);
  expect(logged).toEqual(['a worker is gone; another one takes its place', 'a worker has been replaced']);
  for (let i = 0; i < 10_000; i += 10) {
    forked.at(-1)?.die();
    await clock.advance(10);
  }
  expect(forked.length).toBeLessThan(12);
  await clock.advance(20_000);
  const before = forked.length;
  forked[1]?.die();
  await clock.advance(200);
  expect(forked.length).toBe(before + 1);
});

test('two that are killed every 3 s, in turns, are not both away', async () => {
  await start();
  let both = 0;
  for (let i = 0; i < 100; i++) {
    forked.find(({ isAlive }) => isAlive)?.die();
    for (let ms = 0; ms < 1_500; ms += 50) {
      await clock.advance(50);
      if (!forked.some(({ isAlive }) => isAlive)) both += 1;
    }
  }
  expect(both).toBe(0);
  expect(forked).toHaveLength(102);
});

test('a slot whose workers die at once does not slow the other one down', async () => {
  await start();
  for (let i = 0; i < 1_000; i++) {
    forked
      .filter(({ isAlive }) => isAlive)
      .at(1)
      ?.die();
    await clock.advance(10);
  }
  const before = forked.length;
  forked[0]?.die();
  await clock.advance(150);
  expect(forked.length).toBe(before + 1);
});

test('if there can be no new process, it is tried again', async () => {
  await start();
  failingForks = 5;
  forked[0]?.die();
  await clock.advance(20_000);
  expect(logged.filter((line) => line === 'a worker could not be replaced: spawn ENOMEM')).toHaveLength(5);
  expect(forked).toHaveLength(3);
  expect(forked.filter(({ isAlive }) => isAlive)).toHaveLength(2);
  expect(clock.timers).toBe(0);
});

test('a change that a worker cannot take in is told again, and applied when all have it', async () => {
  await start();
  const [one, other] = forked;
  if (other !== undefined) other.failingChanges = 3;
  void workers.changed('web');
  let isApplied = false;
  void workers.applied().then(() => {
    isApplied = true;
  });
  await clock.advance(100);
  expect([isApplied, one?.changes, other?.changes]).toEqual([false, ['web'], []]);
  await clock.advance(1_000);
  expect([isApplied, one?.changes, other?.changes]).toEqual([true, ['web'], ['web']]);
  expect(logged).toHaveLength(3);
  expect(clock.timers).toBe(0);
});

test('a worker that never takes it in is replaced; one that dies is not waited for', async () => {
  await start();
  const [one, other] = forked;
  for (const worker of forked) worker.failingChanges = Number.POSITIVE_INFINITY;
  const changed = workers.changed('web');
  await clock.advance(5_000);
  one?.die();
  await clock.advance(60_000);
  await changed;
  await workers.applied();
  expect(other?.isAlive).toBe(false);
  expect(forked).toHaveLength(4);
  expect(clock.timers).toBe(0);
});

test('what those had counted that are gone is not lost', async () => {
  await start();
  const read = async () => {
    const reading = workers.read();
    await clock.advance(10);
    return (await reading).services;
  };
  expect(await read()).toEqual([['web', 2, [0, 0, 10]]]);
  forked[0]?.die();
  expect(await read()).toEqual([['web', 1, [0, 0, 10]]]);
  await clock.advance(1_000);
  expect(await read()).toEqual([['web', 2, [0, 0, 15]]]);
});

test('connections to an instance are closed when all workers have said so, or are gone', async () => {
  await start();
  let closed = false;
  void workers.close('i1').then(() => {
    closed = true;
  });
  if (forked[1] !== undefined) forked[1].stuck = true;
  await clock.advance(1_000);
  expect([closed, forked.map((worker) => worker.closed)]).toEqual([false, [['i1'], []]]);
  await clock.advance(30_000);
  expect([closed, forked[1]?.isAlive]).toEqual([true, false]);
});

test('what is known by convention is asked once, and anew after a change', async () => {
  await start();
  const [one] = forked;
  const resolve = async () => {
    const resolved = one?.source.resolve('web');
    await clock.advance(10);
    return (await resolved)?.revision.id;
  };
  expect(await Promise.all([resolve(), resolve()])).toEqual(['web-1', 'web-1']);
  const sent = one?.sent;
  expect(await resolve()).toBe('web-1');
  expect(one?.source.known('web')?.revision.id).toBe('web-1');
  expect(one?.sent).toBe(sent);

  runtime.images.set('web', 'web-2');
  convention.refresh();
  await clock.advance(10);
  const changed = workers.changed('web');
  await clock.advance(10);
  await changed;
  expect(one?.source.known('web')).toBeUndefined();
  expect(await resolve()).toBe('web-2');
});

test('an answer from before a change is not kept', async () => {
  await start();
  const [one] = forked;
  const resolving = one?.source.resolve('web');
  void workers.changed('web');
  await clock.advance(10);
  expect((await resolving)?.revision.id).toBe('web-1');
  expect(one?.source.known('web')).toBeUndefined();
});

test('changes are applied when all workers know of them', async () => {
  await start();
  void workers.changed('web');
  let applied = false;
  const applying = workers.applied().then(() => {
    applied = true;
  });
  await clock.advance(1);
  expect(applied).toBe(false);
  await clock.advance(5);
  await applying;
});

test('a drain ends all of them, with their last words, and none is replaced', async () => {
  await start();
  const drained = workers.drain(1_000);
  await clock.advance(10);
  await drained;
  await clock.advance(60_000);
  expect(forked.map(({ isAlive }) => isAlive)).toEqual([false, false]);
  expect((await workers.read()).services).toEqual([['web', 0, [0, 0, 14]]]);
  expect(clock.timers).toBe(0);
});
