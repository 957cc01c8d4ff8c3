import { FakeClock, FakePort } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { type Call, Channel, type Message } from './channel.ts';

type Served = {
  double(argument: { number: number }): number;
  hold(argument: { name: string }): string;
  refuse(argument: Record<never, never>): void;
};

let clock: FakeClock;
let ports: [FakePort<Message>, FakePort<Message>];
let asking: Channel<Served, Record<never, never>>;
let held: Map<string, Call<string>>;

beforeEach(() => {
  clock = new FakeClock();
  ports = FakePort.pair(clock, () => 1);
  held = new Map();
  asking = new Channel(ports[0], {});
  new Channel<Record<never, never>, Served>(ports[1], {
    double: ({ number }, call) => call.answer(2 * number),
    hold: ({ name }, call) => held.set(name, call),
    refuse: () => {
      throw Object.assign(new Error('no'), { code: 'BACKOFF', retryAfterMs: 5, cause: new Error('why') });
    },
  });
});

test('a call is answered', async () => {
  const answer = asking.call('double', { number: 21 });
  await clock.advance(2);
  expect(await answer).toBe(42);
});

test('an error comes with its message and its facts', async () => {
  const answer = asking.call('refuse', {}).catch((error: unknown) => error);
  await clock.advance(2);
  expect(await answer).toMatchObject({ message: 'no', code: 'BACKOFF', retryAfterMs: 5 });
});

test('answers are heard of in their order, before any promise', async () => {
  const heard: string[] = [];
  for (const name of ['a', 'b'])
    asking.ask('hold', { name }, (...[, result]) => void heard.push(String(result)));
  await clock.advance(1);
  held.get('b')?.answer('second');
  held.get('a')?.answer('first');
  ports[0].onMessage(() => heard.push('another listener'));
  await clock.advance(1);
  expect(heard).toEqual(['second', 'another listener', 'first', 'another listener']);
});

test('a call that is cancelled is answered all the same, once', async () => {
  const answers: unknown[] = [];
  const cancel = asking.ask('hold', { name: 'a' }, (...answer) => void answers.push(answer[0] ?? answer[1]));
  await clock.advance(1);
  cancel();
  await clock.advance(1);
  expect(held.get('a')?.signal.aborted).toBe(true);
  held.get('a')?.answer('in time, perhaps');
  held.get('a')?.answer('twice');
  await clock.advance(1);
  cancel();
  expect(answers).toEqual(['in time, perhaps']);
});

test('the end of a process ends what is open on both sides, and all that is asked later', async () => {
  const answer = asking.call('hold', { name: 'a' }).catch((error: unknown) => error);
  await clock.advance(1);
  ports[1].close();
  expect(await answer).toMatchObject({ code: 'CHANNEL_CLOSED' });
  expect(held.get('a')?.signal.aborted).toBe(true);
  held.get('a')?.answer('too late');
  await expect(asking.call('double', { number: 1 })).rejects.toThrow('the other process is gone');
  await clock.advance(10);
  expect(clock.timers).toBe(0);
});

test('what a process has said before its end, and what comes after it, is not heard', async () => {
  const heard: unknown[] = [];
  asking.ask('double', { number: 1 }, (...answer) => void heard.push(answer[0]?.message ?? answer[1]));
  await clock.advance(1); // the answer is on its way
  ports[1].close();
  await clock.advance(10);
  expect(heard).toEqual(['the other process is gone']);
});
