import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { Admission, type Place } from './admission/admission.ts';
import { Instance } from './instance/instance.ts';
import { Starter } from './starter.ts';

const revision: Revision = {
  service: 'web',
  id: 'web-1',
  spec: { service: 'web', revision: 'web-1', image: 'web-1', port: 80 },
  readiness: { check: { kind: 'http' }, timeoutMs: 100 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 100,
};

let clock: FakeClock;
let runtime: FakeRuntime;
let instances: Instance<Revision>[];
let failures: unknown[];
let advances: number;
let restarts: number[];
let closing: AbortController;

function build(maxInstances = 9): Starter<Revision> {
  closing = new AbortController();
  const connections = { close: async () => {}, destroy: () => {} };
  const drive = {
    ...{ runtime, clock, connections, closing: closing.signal },
    probe: runtime.probe,
    explain: async () => '',
  };
  const limits = { maxStarts: 9, maxInstances, evict: () => false };
  const admission = new Admission<Revision>({ clock, closing: closing.signal, ...limits });
  const living = () => instances.filter(({ leaving }) => !leaving).length;
  const starter: Starter<Revision> = new Starter(
    revision,
    { drive, admission },
    {
      living,
      wanted: () => 1,
      waiting: () => 1,
      add: (place: Place<Revision>) => {
        const instance: Instance<Revision> = new Instance(revision, drive, {
          changed: () => {
            if (instance.state === 'gone') place.giveBack();
            starter.look();
          },
          identified: () => {},
          unknown: () => {},
          doubt: () => {},
          tell: () => {},
        });
        instances.push(instance);
        return instance;
      },
      starting: () => {},
      failed: (error) => failures.push(error),
      advance: () => (advances += 1),
      changed: () => {},
      restarting: (count) => restarts.push(count),
    },
  );
  return starter;
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  [instances, failures, advances, restarts] = [[], [], 0, []];
});

test('starts one where none is, and gives the place back where one is by then', async () => {
  const starter = build();
  void starter.start();
  void starter.start();
  expect(starter.queued).toBe(2);
  await clock.advance(100);
  expect([starter.queued, runtime.started, advances, failures]).toEqual([0, 1, 1, []]);
});

test('rests after a start that failed by its own fault, and forgets it after a good one', async () => {
  const starter = build();
  runtime.behaviour.starts = 'refuse';
  void starter.start();
  await clock.advance(100);
  expect([failures, starter.isResting, starter.remembers]).toMatchObject([
    [{ code: 'START_FAILED' }],
    true,
    true,
  ]);
  expect(() => starter.check()).toThrow('the last 1 starts of web failed');
  await clock.advance(1_000);
  expect(() => starter.check()).not.toThrow();
  runtime.behaviour.starts = 'run';
  void starter.start();
  await clock.advance(100);
  expect(starter.remembers).toBe(false);
});

test('says why there was no place', async () => {
  const starter = build(0);
  void starter.start();
  await clock.advance(101);
  expect(failures).toMatchObject([
    { code: 'CAPACITY', message: expect.stringContaining('all 0 are in use') },
  ]);
  expect(() => starter.check()).not.toThrow();
  void starter.start();
  await clock.advance(1);
  closing.abort();
  await clock.advance(0);
  expect([failures[1], clock.timers]).toMatchObject([{ code: 'SHUTTING_DOWN' }, 0]);
});

test('one that is dismissed while it is started fails nobody', async () => {
  const starter = build();
  void starter.start();
  await clock.advance(10);
  instances[0]?.dismiss();
  await clock.advance(100);
  expect([failures, advances, starter.isResting]).toEqual([[], 1, false]);
});

test('keeps one running: again after a rest, as long as that is wanted', async () => {
  const starter = build();
  runtime.behaviour.starts = 'refuse';
  starter.keep();
  await clock.advance(1_500);
  expect([starter.isKeeping, restarts]).toEqual([true, [1]]);
  starter.stopKeeping();
  await clock.advance(60_000);
  expect([starter.isKeeping, restarts, clock.timers]).toEqual([false, [1], 0]);
});
