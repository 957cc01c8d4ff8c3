import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeRuntime, SAMPLE_COMMAND } from '@cless/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { ProcessRuntime } from './runtime.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-process-'));
const servicesFile = join(directory, 'services.json');
const services: Record<string, unknown> = {};

async function image(name: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  services[name] = { command: SAMPLE_COMMAND, env };
  writeFileSync(servicesFile, JSON.stringify(services));
  return name;
}

const create = () => new ProcessRuntime({ servicesFile, stateDirectory: directory });

const pidOf = (id: string): number =>
  JSON.parse(readFileSync(join(directory, 'processes', `${id}.json`), 'utf8')).pid;

describeRuntime('process', {
  create,
  image,
  byHand: async (action, id) => {
    const signal = { pause: 'SIGSTOP', resume: 'SIGCONT', kill: 'SIGKILL' } as const;
    process.kill(-pidOf(id), signal[action]);
  },
  cleanUp: async () => {},
});

describe('processes', () => {
  const spec = { service: 'web', revision: 'r1', image: 'web', port: 8080 };

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('a command that is not there is START_FAILED with code 127, and nothing is left', async () => {
    services.missing = { command: ['/no/such/program'] };
    writeFileSync(servicesFile, JSON.stringify(services));
    const runtime = create();
    await expect(runtime.start({ ...spec, image: 'missing' })).rejects.toMatchObject({
      code: 'START_FAILED',
      exitCode: 127,
    });
    expect(await runtime.list()).toEqual([]);
  });

  test('children of a process are stopped with it', async () => {
    services.family = { command: ['sh', '-c', 'sleep 1000 & echo $! ; wait'] };
    writeFileSync(servicesFile, JSON.stringify(services));
    const runtime = create();
    const { id } = await runtime.start({ ...spec, image: 'family' });
    await expect.poll(() => runtime.logs(id)).toHaveLength(1);
    const child = Number((await runtime.logs(id))[0]);
    await runtime.stop(id, { graceMs: 1000 });
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  test('leftovers of a killed proxy are found, watched and ended', async () => {
    await image('web');
    const script = `
      import { ProcessRuntime } from ${JSON.stringify(new URL('./runtime.ts', import.meta.url).href)};
      const runtime = new ProcessRuntime(${JSON.stringify({ servicesFile, stateDirectory: directory })});
      await runtime.start(${JSON.stringify(spec)});
      process.kill(process.pid, 'SIGKILL');`;
    const proxy = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await once(proxy, 'exit');

    const successor = create();
    const [found] = await successor.list();
    expect(found).toMatchObject({ service: 'web', state: 'running', spec: successor.specHash(spec) });
    const stop = new AbortController();
    const exited = (async () => {
      for await (const event of successor.watch(stop.signal)) if (event.type === 'exited') return event;
      return undefined;
    })();
    process.kill(pidOf(found?.id ?? ''), 'SIGKILL');
    expect(await exited).toMatchObject({ id: found?.id });
    stop.abort();
    await successor.stop(found?.id ?? '');
    expect(await successor.list()).toEqual([]);
  });

  test('a record without a pid, of a proxy killed while it started, is completed from the process table', async () => {
    const runtime = create();
    const { id } = await runtime.start(spec);
    const file = join(directory, 'processes', `${id}.json`);
    const { pid, startTime, ...record } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(record));
    expect(await create().list()).toMatchObject([{ id, state: 'running' }]);
    expect(pidOf(id)).toBe(pid);
    expect(startTime).toBeDefined();
    await create().stop(id, { graceMs: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  test('only the services file is told as changed, also when it is replaced', async () => {
    await image('web');
    const runtime = create();
    const stop = new AbortController();
    let changes = 0;
    const watching = (async () => {
      for await (const { type } of runtime.watch(stop.signal)) if (type === 'images-changed') changes += 1;
    })();
    await sleep(100);
    writeFileSync(join(directory, 'another'), 'x');
    rmSync(join(directory, 'another'));
    await sleep(700);
    expect(changes).toBe(0);
    writeFileSync(`${servicesFile}.new`, JSON.stringify({ ...services, more: { command: ['x'] } }));
    renameSync(`${servicesFile}.new`, servicesFile);
    await expect.poll(() => changes, { timeout: 5_000 }).toBe(1);
    stop.abort();
    await watching;
  });

  test('its state folder vanishes: what runs is watched on, paused, resumed and stopped; a start says why it fails', async () => {
    await image('web');
    const state = join(directory, 'vanishing');
    const runtime = new ProcessRuntime({ servicesFile, stateDirectory: state });
    const { id } = await runtime.start(spec);
    const stop = new AbortController();
    const events: string[] = [];
    const watching = (async () => {
      for await (const { type } of runtime.watch(stop.signal)) events.push(type);
    })();
    const { pid } = JSON.parse(readFileSync(join(state, 'processes', `${id}.json`), 'utf8'));
    rmSync(state, { recursive: true });
    await sleep(1_200); // two looks
    expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
    await runtime.pause(id);
    expect(await runtime.inspect(id)).toMatchObject({ id, state: 'paused' });
    await runtime.resume(id);
    await expect(runtime.start(spec)).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('its log cannot be written: ENOENT'),
    });
    expect(await runtime.list()).toHaveLength(1);
    expect(events.filter((type) => type === 'exited')).toEqual([]);
    await runtime.stop(id);
    expect([isAlive(pid), await runtime.list()]).toEqual([false, []]);
    stop.abort();
    await watching;
  });

  test.each([
    ['{', /services.json: /],
    ['[]', /it is no object/],
    ['{"a": {}}', /service a: command must be a list of strings/],
    ['{"a": {"command": "x"}}', /service a: command must be a list of strings/],
    ['{"a": {"command": ["x"], "cwd": 1}}', /service a: cwd must be a string/],
    ['{"a": {"command": ["x"], "env": {"A": 1}}}', /service a: env must map names to strings/],
    ['{"a": {"command": ["x"], "cmd": 1}}', /service a: unknown key cmd/],
  ])('a services file that says %s is refused', async (content, message) => {
    const file = join(directory, 'wrong', 'services.json');
    rmSync(join(directory, 'wrong'), { recursive: true, force: true });
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(directory, 'wrong'));
    writeFileSync(file, content);
    const runtime = new ProcessRuntime({ servicesFile: file, stateDirectory: directory });
    await expect(runtime.prepare()).rejects.toThrow(message);
    await expect(runtime.prepare()).rejects.toMatchObject({ code: 'INVALID_SERVICES_FILE' });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
