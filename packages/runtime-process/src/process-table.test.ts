import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { findByEnvironment, findProcess } from './process-table.ts';

const HAS_PROC = existsSync('/proc/self/stat');
const children: ChildProcess[] = [];

/** A process that lives until the test is over. */
async function start(env: Readonly<Record<string, string>> = {}, command = 'exec cat'): Promise<number> {
  const child = spawn('sh', ['-c', `echo; ${command}`], {
    env: { PATH: process.env.PATH, ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    const gone = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await gone;
    }
  }
});

test('a process is known by when it was started', async () => {
  const [one, other] = [await start(), await start()];
  expect(findProcess(one)).toEqual({ startTime: expect.stringMatching(/./), stopped: false });
  expect(findProcess(one)).toEqual(findProcess(one));
  expect(findProcess(process.pid)?.startTime).not.toBe(findProcess(other)?.startTime);
});

test('one that is stopped is there, and goes on', async () => {
  const pid = await start();
  process.kill(pid, 'SIGSTOP');
  await expect.poll(() => findProcess(pid)?.stopped).toBe(true);
  process.kill(pid, 'SIGCONT');
  await expect.poll(() => findProcess(pid)?.stopped).toBe(false);
});

test('one that has ended is not', async () => {
  const pid = await start();
  const child = children.at(-1);
  child?.stdin?.end();
  if (child !== undefined) await once(child, 'exit');
  expect(findProcess(pid)).toBeUndefined();
});

test.runIf(HAS_PROC)('a zombie has ended', async () => {
  // A child whose parent has become a program that never asks how it ended.
  const parent = await start({}, 'true & exec cat');
  const childOf = () => findZombie(parent);
  await expect.poll(childOf).not.toBeUndefined();
  expect(findProcess(childOf() ?? 0)).toBeUndefined();
});

test.runIf(HAS_PROC)('the leader of a group is found by a variable, not its children', async () => {
  const variable = `CLESS_TEST_${process.pid}_${Date.now()}=x`;
  const [name = '', value = ''] = variable.split('=');
  expect(findByEnvironment(variable)).toBeUndefined();
  const pid = await start({ [name]: value }, 'sleep 60 & wait');
  expect(findByEnvironment(variable)).toBe(pid);
  expect(findByEnvironment(`${name}=other`)).toBeUndefined();
});

/** The first child of that process that is a zombie. */
function findZombie(parent: number): number | undefined {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  return pids.map(Number).find((pid) => pid > 0 && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
}
