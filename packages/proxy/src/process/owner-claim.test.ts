import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { OwnerClaim } from './owner-claim.ts';

const taken = Object.assign(new Error('taken'), { code: 'OWNER_TAKEN' });
const unreachable = Object.assign(new Error('no engine'), { code: 'ENGINE_UNREACHABLE' });

let clock: FakeClock;
let told: unknown[];
let asked: number;
/** The engine's answer. */
let answer: () => Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  asked = 0;
});

const make = () =>
  OwnerClaim.make({
    runtime: {
      hold: () => {
        asked += 1;
        return answer();
      },
    },
    clock,
    onTaken: (error) => told.push(error),
  });

test('it is asked for at the start, and then every half minute until it closes', async () => {
  answer = async () => {};
  const claim = await make();
  await clock.advance(300_000);
  expect(asked).toBe(11);
  claim.close();
  await clock.advance(300_000);
  expect([asked, clock.timers, told]).toEqual([11, 0, []]);
});

test('an owner that is another’s is an error of the start', async () => {
  answer = async () => Promise.reject(taken);
  await expect(make()).rejects.toBe(taken);
  expect([clock.timers, told]).toEqual([0, []]);
});

test('one that is taken over later is told', async () => {
  answer = async () => {};
  await make();
  answer = async () => Promise.reject(taken);
  await clock.advance(90_000);
  expect([told, asked, clock.timers]).toEqual([[taken], 2, 0]);
});

test('without an engine the start goes on; when there is one it is asked', async () => {
  answer = async () => Promise.reject(unreachable);
  await make();
  await clock.advance(10_000);
  expect(asked).toBe(6);
  answer = async () => Promise.reject(taken);
  await clock.advance(2_000);
  expect(told).toEqual([taken]);
});

test('an engine that does not answer is not waited for long', async () => {
  const late = Promise.withResolvers<void>();
  answer = () => late.promise;
  const making = make();
  await clock.advance(3_000);
  const claim = await making;
  late.reject(taken);
  await clock.advance(0);
  expect(told).toEqual([taken]);
  claim.close();
  expect(clock.timers).toBe(0);
});
