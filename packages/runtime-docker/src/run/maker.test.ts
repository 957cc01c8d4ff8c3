import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { findMaker, ownMaker } from './maker.ts';

const [machine, pid, start] = ownMaker().split('/');
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
afterAll(() => child.kill());

test('this process lives, as long as its start is what was written', () => {
  expect(findMaker(ownMaker())).toBe('alive');
  expect(findMaker(`${machine}/${pid}/${start}0`)).toBe('dead'); // its pid is another's by now
});

test('a process that is gone is dead, also before anybody asked for its exit code', async () => {
  const maker = `${machine}/${child.pid}/`;
  expect(findMaker(`${maker}1`, () => '1')).toBe('alive');
  expect(findMaker(`${maker}1`, () => 'zombie')).toBe('dead');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(findMaker(`${maker}1`, () => '1')).toBe('dead');
});

test('one whose start nobody may see is left alone', () => {
  expect(findMaker(ownMaker(), () => undefined)).toBe('unknown');
});

test.each([
  '',
  'nonsense',
  `another-machine/${pid}/${start}`,
  `${machine}/0/1`,
  `${machine}/-1/1`,
  `${machine}/1`,
])('nothing is known of %j', (maker) => {
  expect(findMaker(maker)).toBe('unknown');
});
