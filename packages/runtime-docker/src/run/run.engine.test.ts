import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cleanUp, docker, dockerLines, noEngine, sampleImage } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from '../runtime.ts';
import { ownMaker } from './maker.ts';

const owner = `test-run-${process.pid}`;
const images: string[] = [];
const ports = { from: 21600, to: 21699 };

async function image(name: string, environment = {}, more: readonly string[] = []): Promise<string> {
  const reference = `${name}-${owner}`;
  images.push(reference);
  return sampleImage(reference, environment, more);
}

/** All containers of the owner, in whatever state. */
const left = () => dockerLines('ps', '-aq', '--no-trunc', '--filter', `label=cless.owner=${owner}`);

describe.skipIf(noEngine !== undefined)('run', () => {
  let runtime: DockerRuntime;
  let web: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    web = await image('web', {}, ['EXPOSE 8080', 'VOLUME /cache']);
    runtime = new DockerRuntime({ owner, ports });
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  afterAll(() => cleanUp(owner, images));

  /** Starts another process, and resolves when it has run that many containers. It starts the next one at once. */
  async function elsewhere(count: number): Promise<{ child: ChildProcess; ids: string[] }> {
    const program = `
      import { DockerRuntime } from '${new URL('../runtime.ts', import.meta.url)}';
      const runtime = new DockerRuntime({ owner: '${owner}', ports: { from: 21700, to: 21799 } });
      const atOnce = () => runtime.run({ image: '${web}', ready: async () => {} });
      for (;;) console.log((await atOnce()).id);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const ids: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      ids.push(line);
      if (ids.length === count) break;
    }
    expect(ids).toHaveLength(count);
    return { child, ids };
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    if (child.signalCode === null) await once(child, 'exit');
  }

  test('all but the image has a default; it answers, is in no list, and goes with whoever holds it', async () => {
    let volume: string;
    {
      await using instance = await runtime.run({ image: web, env: { GREETING: 'hello' } });
      const url = `http://${instance.endpoint.host}:${instance.endpoint.port}/environment`;
      const environment = await (await fetch(url)).json();
      expect(environment).toMatchObject({ GREETING: 'hello', PORT: '8080', K_SERVICE: `web-${owner}` });
      expect(await left()).toEqual([instance.id]);
      expect(await runtime.list()).toEqual([]);
      volume = await docker('inspect', '-f', '{{(index .Mounts 0).Name}}', instance.id);
      await instance.stop({ graceMs: 0 });
    }
    expect(await left()).toEqual([]);
    expect(await dockerLines('volume', 'ls', '-q', '--filter', `name=${volume}`)).toEqual([]);
  });

  test('a probe says when it is ready, with what it needs for that', async () => {
    const probed: unknown[] = [];
    await using instance = await runtime.run({
      image: web,
      readyTimeoutMs: 5_000,
      ready: async (endpoint, { timeoutMs, signal }) => {
        probed.push(endpoint, timeoutMs, signal.aborted);
      },
    });
    expect(probed).toEqual([instance.endpoint, 5_000, false]);
  });

  test('one that exits while it is waited for fails at once, with its exit code and its last words', async () => {
    const quitter = await image('quitter', { EXIT_CODE: '3', PORT: '8080' });
    const never = runtime.run({
      image: quitter,
      port: 8080,
      ready: (_, { signal }) => once(signal, 'abort'), // were it not for the exit
    });
    await expect(never).rejects.toMatchObject({
      code: 'START_FAILED',
      exitCode: 3,
      lastLogLines: expect.arrayContaining(['then I gave up: no database']),
    });
    expect(await left()).toEqual([]);
  });

  test('one that does not get ready fails with why, and what it wrote', async () => {
    const failing = runtime.run({
      image: web,
      ready: async () => {
        throw new Error('it has no database');
      },
    });
    await expect(failing).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('it has no database'),
      lastLogLines: expect.any(Array),
    });
    const deaf = runtime.run({ image: web, entrypoint: ['sleep', '60'], command: [], readyTimeoutMs: 300 });
    await expect(deaf).rejects.toThrow('no connection within 300 ms');
    expect(await left()).toEqual([]);
  });

  test('the signal gives it up, before and while it is waited for', async () => {
    const reason = new Error('enough');
    await expect(runtime.run({ image: web, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const run = runtime.run({
      image: web,
      signal: abort.signal,
      ready: async (_, { signal }) => {
        queueMicrotask(() => abort.abort(reason));
        await once(signal, 'abort');
        signal.throwIfAborted();
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(await left()).toEqual([]);
  });

  test('what killed processes have left is removed by the next run, also what they were just making', async () => {
    for (let round = 0; round < 3; round++) {
      const killed = await Promise.all([elsewhere(1), elsewhere(1)]);
      await Promise.all(killed.map(({ child }) => kill(child)));
      expect((await left()).length).toBeGreaterThanOrEqual(2);
      // Two at once. What the engine creates after they have looked is left to later ones.
      await expect
        .poll(
          async () => {
            const runtimes = [new DockerRuntime({ owner, ports }), new DockerRuntime({ owner, ports })];
            const runs = await Promise.all(runtimes.map((one) => one.run({ image: web })));
            await Promise.all(runtimes.map((one) => one.close()));
            const others = (await left()).filter((id) => !runs.some((run) => run.id === id));
            await Promise.all(runs.map((run) => run.stop({ graceMs: 0 })));
            return others;
          },
          { timeout: 30_000 },
        )
        .toEqual([]);
    }
  });

  test('nothing of a process that lives is removed; a pid that is another’s by now is no excuse', async () => {
    const living = await elsewhere(1);
    const [machine, pid, start] = ownMaker().split('/');
    const labelled = (maker: string) =>
      docker(
        ...['run', '-d', '--entrypoint', 'sleep', '--label', 'cless.managed=true'],
        ...['--label', `cless.owner=${owner}`, '--label', `cless.maker=${maker}`, web, '60'],
      );
    const before = await labelled(`${machine}/${pid}/${Number(start) - 1}`);
    const ours = await labelled(`${machine}/${pid}/${start}`);
    const farAway = await labelled(`another-machine/${pid}/${Number(start) - 1}`);
    await using next = new DockerRuntime({ owner, ports });
    await using run = await next.run({ image: web });
    await expect.poll(left, { timeout: 10_000 }).not.toContain(before);
    expect(await left()).toEqual(expect.arrayContaining([run.id, ...living.ids, ours, farAway]));
    await kill(living.child);
    await docker('rm', '-f', '-v', ours, farAway);
  });

  test('the network goes with the last of them', async () => {
    const last = new DockerRuntime({ owner, ports });
    await (await last.run({ image: web })).stop({ graceMs: 0 });
    await last.close();
    expect(await dockerLines('network', 'ls', '-q', '--filter', `name=cless-${owner}`)).toEqual([]);
  });
});
