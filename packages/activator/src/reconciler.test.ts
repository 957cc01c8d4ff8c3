import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Activator } from './activator.ts';
import { FakeRevisions } from './fake-revisions.ts';

/* The reconciler, tested with the activator, whose pools it compares. */

let clock: FakeClock;
let runtime: FakeRuntime;
let revisions: FakeRevisions;
let activator: Activator<Revision>;
let running: Promise<void>;
let stopped: string[];

function build(scale: { maxScale?: number } = {}): void {
  revisions = new FakeRevisions(runtime, scale);
  stopped = [];
  activator = new Activator<Revision>({
    ...{ runtime, revisions, clock, probe: runtime.probe },
    onEvent: (event) => {
      if (event.type === 'stopping') stopped.push(`${event.instance} ${event.reason}`);
    },
  });
  running = activator.run();
}

async function run(service: string, id: string): Promise<void> {
  const started = runtime.start({ service, revision: id, image: id, port: 8080 });
  await clock.advance(100);
  await started;
}

beforeEach(() => {
  clock = new FakeClock();
  runtime = new FakeRuntime(clock);
  runtime.images.set('web', 'web-1');
});

afterEach(async () => {
  const closed = activator.close();
  await clock.advance(60_000);
  await closed;
  await running;
  expect([runtime.instances.size, clock.timers]).toEqual([0, 0]);
});

test('after a restart all that match are adopted, as many as there may be; the rest is stopped', async () => {
  for (let i = 0; i < 4; i++) await run('web', 'web-1');
  await run('web', 'web-0');
  await run('gone', 'gone-1');
  build({ maxScale: 3 });
  await clock.advance(1_000);
  expect([...activator.instances()].map(({ id }) => id)).toEqual(['i1', 'i2', 'i3']);
  expect(stopped.toSorted()).toEqual(['i4 not-ours', 'i5 not-ours', 'i6 not-ours']);
});

test('what was found and could not be stopped is stopped later', async () => {
  await run('gone', 'gone-1');
  const { stop } = runtime;
  let tries = 0;
  runtime.stop = (id) => (++tries === 1 ? Promise.reject(new Error('not now')) : stop.call(runtime, id));
  build();
  await clock.advance(10_000);
  expect([tries, runtime.instances.size]).toEqual([2, 0]);
});

test('each event is about one instance; what is not known is not asked about', async () => {
  build();
  const lease = activator.lease(await revisions.serving());
  await clock.advance(100);
  const { instance, release } = await lease.then((one) => ({
    instance: one.instance,
    release: () => one.release(),
  }));
  release();
  runtime.others.add('other');
  runtime.runOutOfMemory('other');
  runtime.pauseByHand(instance.id ?? '');
  await clock.advance(100);
  expect(instance.state).toBe('paused');
  runtime.resumeByHand(instance.id ?? '');
  await clock.advance(100);
  expect(instance.state).toBe('ready');
  runtime.die(instance.id ?? '');
  await clock.advance(100);
  expect([instance.state, stopped]).toEqual(['gone', ['i1 exited']]);
});
