import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceSpec, Runtime, RuntimeEvent } from '@cless/model';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

/** What the suite needs from a driver. */
export interface RuntimeHarness {
  /** Creates a runtime, always of the same owner. */
  create(): Runtime;
  /** Makes the sample upstream startable under a name with this environment. Returns the value for `image`. */
  image(name: string, environment?: Readonly<Record<string, string>>): Promise<string>;
  /** Does what an administrator might do by hand, behind the runtime's back. */
  byHand(action: 'pause' | 'resume' | 'kill', id: string): Promise<void>;
  /** Removes what the suite has left. */
  cleanUp(): Promise<void>;
}

/** The contract of a runtime, as tests. Every driver must pass them. */
export function describeRuntime(
  name: string,
  harness: RuntimeHarness,
  { skip }: { skip?: string | undefined } = {},
): void {
  describe.skipIf(skip !== undefined)(
    `the contract of a runtime: ${name}${skip === undefined ? '' : ` (skipped: ${skip})`}`,
    () => {
      let runtime: Runtime;
      let sample: string;

      const spec = (more: Partial<InstanceSpec> = {}): InstanceSpec => ({
        service: 'sample',
        revision: 'one',
        image: sample,
        port: 8080,
        ...more,
      });

      beforeAll(async () => {
        runtime = harness.create();
        sample = await harness.image('sample');
        await runtime.prepare();
      });

      afterEach(async () => {
        for (const { id } of await runtime.list()) await runtime.stop(id, { graceMs: 0 });
      });

      afterAll(async () => {
        await runtime.close();
        await harness.cleanUp();
      });

      test('start: it runs, where the endpoint says, with the environment of the contract', async () => {
        let created: string | undefined;
        const instance = await runtime.start(spec({ env: { GREETING: 'hello' } }), {
          onCreated: (id) => (created = id),
        });
        expect(created).toBe(instance.id);
        expect(instance).toMatchObject({
          service: 'sample',
          revision: 'one',
          state: 'running',
          exit: undefined,
        });
        expect(instance.spec).toBe(runtime.specHash(spec({ env: { GREETING: 'hello' } })));
        expect(instance.endpoint?.host).toBe('127.0.0.1');

        const environment = JSON.parse(await get(instance, '/environment'));
        expect(environment).toMatchObject({
          K_SERVICE: 'sample',
          K_REVISION: 'one',
          K_CONFIGURATION: 'sample',
          GREETING: 'hello',
          PORT: expect.stringMatching(/^\d+$/),
        });
        expect(await runtime.inspect(instance.id)).toEqual(instance);
        expect(await runtime.list()).toEqual([instance]);
      });

      test('logs can be followed until the instance ends', async () => {
        const instance = await runtime.start(spec());
        await get(instance, '/once?id=before');
        const lines: string[] = [];
        const reading = (async () => {
          const { signal } = new AbortController();
          for await (const line of runtime.followLogs(instance.id, { lines: 10, signal })) lines.push(line);
        })();
        await expect.poll(() => lines).toEqual(['executed before']);
        await get(instance, '/once?id=after');
        await expect.poll(() => lines).toEqual(['executed before', 'executed after']);
        await harness.byHand('kill', instance.id);
        await reading;
      });

      test('logs are followed no more when the signal says so', async () => {
        const instance = await runtime.start(spec());
        await get(instance, '/once?id=one');
        const left = new AbortController();
        for await (const line of runtime.followLogs(instance.id, { signal: left.signal })) {
          expect(line).toBe('executed one');
          left.abort();
        }
      });

      test('another runtime of the same owner finds what runs', async () => {
        const { id } = await runtime.start(spec());
        const successor = harness.create();
        expect(await successor.list()).toMatchObject([
          { id, state: 'running', service: 'sample', revision: 'one' },
        ]);
        await successor.stop(id, { graceMs: 0 });
        expect(await runtime.list()).toEqual([]);
        await successor.close(); // removes the network, if there is one; the next start creates another
      });

      test('pause freezes it, resume lets it run on; twice does no harm', async () => {
        const instance = await runtime.start(spec());
        const before = await get(instance, '/echo');
        await runtime.pause(instance.id);
        await runtime.pause(instance.id);
        expect(await runtime.inspect(instance.id)).toMatchObject({
          state: 'paused',
          endpoint: instance.endpoint,
        });
        expect(await runtime.list()).toMatchObject([{ state: 'paused', endpoint: instance.endpoint }]);
        await expect(get(instance, '/echo', AbortSignal.timeout(300))).rejects.toThrow();

        await runtime.resume(instance.id);
        await runtime.resume(instance.id);
        expect(await runtime.inspect(instance.id)).toMatchObject({ state: 'running' });
        expect(JSON.parse(await get(instance, '/echo')).instance).toBe(JSON.parse(before).instance);
      });

      test('stop ends and removes it, running or paused; twice does no harm', async () => {
        const running = await runtime.start(spec());
        const paused = await runtime.start(spec());
        await runtime.pause(paused.id);
        for (const { id } of [running, paused]) {
          await runtime.stop(id);
          await runtime.stop(id);
          expect(await runtime.inspect(id)).toBeUndefined();
        }
        expect(await runtime.list()).toEqual([]);
      });

      test('stop kills what does not end within its grace period', async () => {
        const image = await harness.image('stubborn', { IGNORE_SIGTERM: '1' });
        const instance = await runtime.start(spec({ image }));
        await get(instance, '/');
        await runtime.stop(instance.id, { graceMs: 1000 });
        await expect(get(instance, '/', AbortSignal.timeout(500), 1)).rejects.toThrow();
      });

      test('ten at once get ten endpoints', async () => {
        const instances = await Promise.all(Array.from({ length: 10 }, () => runtime.start(spec())));
        expect(new Set(instances.map(({ endpoint }) => endpoint?.port)).size).toBe(10);
        for (const instance of instances) expect(await get(instance, '/')).toContain('hello from sample');
        await Promise.all(instances.map(({ id }) => runtime.stop(id, { graceMs: 0 })));
      });

      test('an image that is not there is IMAGE_NOT_FOUND, and nothing is left', async () => {
        expect(await runtime.image('no-such-image-anywhere')).toBeUndefined();
        await expect(runtime.start(spec({ image: 'no-such-image-anywhere' }))).rejects.toMatchObject({
          code: 'IMAGE_NOT_FOUND',
          image: 'no-such-image-anywhere',
        });
        expect(await runtime.list()).toEqual([]);
      });

      test('the list of images has the ids that image tells', async () => {
        const images = await runtime.listImages();
        expect(images.get(sample)).toBe((await runtime.image(sample))?.id);
        expect(images.has('no-such-image-anywhere')).toBe(false);
      });

      test('a start that is given up before it began, or while it is on its way, leaves nothing', async () => {
        const reason = new Error('enough');
        await expect(runtime.start(spec(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        for (let round = 0; round < 5; round++) {
          const abort = new AbortController();
          const outcome = runtime
            .start(spec(), { signal: abort.signal, onCreated: () => abort.abort(reason) })
            .then(
              ({ id }) => runtime.stop(id, { graceMs: 0 }), // it has gone already
              (error: unknown) => expect(error).toBe(reason),
            );
          await outcome;
          await expect.poll(() => runtime.list(), { timeout: 5_000 }).toEqual([]);
        }
      });

      test('image tells an id that starts the same thing', async () => {
        const image = await runtime.image(sample);
        const instance = await runtime.start(spec({ image: image?.id ?? '' }));
        expect(await get(instance, '/')).toContain('hello');
      });

      test('pause, resume and logs of what is not there are INSTANCE_NOT_FOUND', async () => {
        const { id } = await runtime.start(spec());
        await runtime.stop(id, { graceMs: 0 });
        for (const call of [() => runtime.pause(id), () => runtime.resume(id), () => runtime.logs(id)]) {
          await expect(call()).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND', id });
        }
        expect(await runtime.inspect(id)).toBeUndefined();
      });

      test('one that exits at once tells its exit code and its last words', async () => {
        const image = await harness.image('quitter', { EXIT_CODE: '3' });
        await using events = follow(runtime);
        await events.next('connected');
        const outcome = await runtime.start(spec({ image })).then(
          ({ id }) => ({ id }),
          (error: unknown) => error,
        );
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ code: 'START_FAILED', exitCode: 3, oomKilled: false });
          expect((outcome as Error & { lastLogLines: string[] }).lastLogLines).toContain(
            'then I gave up: no database',
          );
          expect(await runtime.list()).toEqual([]);
        } else {
          const { id } = outcome as { id: string };
          expect(await events.next('exited', id)).toMatchObject({ id, exitCode: 3, oomKilled: false });
          expect(await runtime.inspect(id)).toMatchObject({
            state: 'exited',
            endpoint: undefined,
            exit: { exitCode: 3 },
          });
          expect(await runtime.logs(id)).toEqual(['first I looked around', 'then I gave up: no database']);
          expect(await runtime.logs(id, { lines: 1 })).toEqual(['then I gave up: no database']);
          await runtime.stop(id);
          expect(await runtime.inspect(id)).toBeUndefined();
        }
      });

      test('watch tells what is done by hand', async () => {
        await using events = follow(runtime);
        await events.next('connected');
        const { id } = await runtime.start(spec());
        await sleep(1200); // polling must have seen it running first
        await harness.byHand('pause', id);
        expect(await events.next('paused')).toMatchObject({ id });
        await harness.byHand('resume', id);
        expect(await events.next('resumed')).toMatchObject({ id });
        await harness.byHand('kill', id);
        expect(await events.next('exited', id)).toMatchObject({ id, oomKilled: false });
      });

      test('watch ends with its signal', async () => {
        const stop = new AbortController();
        const ended = (async () => {
          for await (const event of runtime.watch(stop.signal)) if (event.type === 'connected') stop.abort();
        })();
        await ended;
      });

      test('specHash is the same for the same spec only', () => {
        const one = runtime.specHash(spec({ env: { A: '1', B: '2' } }));
        expect(runtime.specHash(spec({ env: { B: '2', A: '1' } }))).toBe(one);
        for (const other of [
          spec(),
          spec({ env: { A: '1', B: '3' } }),
          spec({ env: { A: '1', B: '2' }, revision: 'two' }),
        ]) {
          expect(runtime.specHash(other)).not.toBe(one);
        }
      });
    },
  );
}

/** Asks until there is an answer, since a started instance need not be ready. */
async function get(
  { endpoint }: { endpoint: { host: string; port: number } | undefined },
  path: string,
  signal?: AbortSignal,
  attempts = 500,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(`http://${endpoint?.host}:${endpoint?.port}${path}`, {
        ...(signal && { signal }),
        headers: { connection: 'close' },
      });
      return await response.text();
    } catch (error) {
      if (attempt >= attempts || signal?.aborted) throw error;
      await sleep(20);
    }
  }
}

/** Collects events from now on. */
function follow(runtime: Runtime) {
  const stop = new AbortController();
  const events: RuntimeEvent[] = [];
  const ended = (async () => {
    for await (const event of runtime.watch(stop.signal)) events.push(event);
  })();
  return {
    /** The next event of that type and instance. */
    async next(type: RuntimeEvent['type'], id?: string): Promise<RuntimeEvent> {
      const wanted = (event: RuntimeEvent) =>
        event.type === type && (id === undefined || ('id' in event && event.id === id));
      await expect.poll(() => events.some(wanted), { timeout: 10_000, interval: 10 }).toBe(true);
      return events.splice(events.findIndex(wanted), 1)[0] as RuntimeEvent;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}
