import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { Rounds } from './rounds.ts';

const SECOND = 1_000;

let clock: FakeClock;
let rounds: Rounds;
let answer: { listed: number; isDone: boolean } | Error;
let comparedAtMs: number[];
let failures: unknown[];

beforeEach(() => {
  clock = new FakeClock();
  answer = { listed: 0, isDone: true };
  comparedAtMs = [];
  failures = [];
  rounds = new Rounds({
    clock,
    compare: async () => {
      comparedAtMs.push(clock.now() / SECOND);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    isWorthwhile: () => false,
    compared: (error) => error !== undefined && failures.push(error),
  });
});

test('many reasons are one comparison', async () => {
  for (let i = 0; i < 100; i++) rounds.soon();
  await clock.advance(10 * SECOND);
  expect(comparedAtMs).toEqual([1]);
  expect(clock.timers).toBe(0);
});

test('where something runs it compares about once a minute, where nothing does not at all', async () => {
  answer = { listed: 1, isDone: true };
  rounds.soon(0);
  await clock.advance(600 * SECOND);
  expect(comparedAtMs.length).toBeGreaterThanOrEqual(9);
  expect(comparedAtMs.length).toBeLessThanOrEqual(14);
  answer = { listed: 0, isDone: true };
  await clock.advance(100 * SECOND);
  expect(clock.timers).toBe(0);
});

test('a runtime that fails, or leaves something open, is asked again after 2, 4 … 30 s', async () => {
  answer = new Error('away');
  rounds.soon(0);
  await clock.advance(80 * SECOND);
  expect(comparedAtMs).toEqual([0, 2, 6, 14, 30, 60]);
  expect(failures).toHaveLength(6);
  answer = { listed: 0, isDone: false };
  await clock.advance(20 * SECOND);
  answer = { listed: 0, isDone: true };
  await clock.advance(30 * SECOND);
  expect(clock.timers).toBe(0);
});

test('a doubt has it compare again a round later: what was asked for may come to be late', async () => {
  rounds.doubt();
  await clock.advance(100 * SECOND);
  expect(comparedAtMs).toHaveLength(2);
  expect(comparedAtMs[1]).toBeGreaterThan(45);
  expect(clock.timers).toBe(0);
});

test('closed, it compares no more', async () => {
  rounds.soon();
  rounds.later();
  await rounds.close();
  rounds.doubt();
  rounds.later();
  await clock.advance(100 * SECOND);
  expect(comparedAtMs).toEqual([]);
  expect(clock.timers).toBe(0);
});
