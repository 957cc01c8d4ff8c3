import { FakeClock } from '@cless/testkit';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { LastResort } from './last-resort.ts';

let clock: FakeClock;
let lines: { msg: string; err: { message: string; stack?: string } }[];
let exits: number[];
let lastResort: LastResort;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  exits = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  lastResort = new LastResort({ log, clock, exit: (code) => void exits.push(code), timeoutMs: 5_000 });
});

test('it tells the stack, finishes what is open, and ends with a code of its own', async () => {
  const open = Promise.withResolvers<void>();
  lastResort.finish = () => open.promise;
  lastResort.handle(new Error('outer', { cause: new Error('inner') }));
  await clock.advance(1_000);
  expect(exits).toEqual([]);
  expect(lines[0]).toMatchObject({ level: 60, err: { message: 'outer: inner' } });
  expect(lines[0]?.err.stack).toContain('last-resort.test.ts');
  expect(lines[0]?.err.stack).toContain('caused by: Error: inner');
  open.resolve();
  await clock.advance(0);
  expect(exits).toEqual([70]);
});

test('what does not end is not waited for', async () => {
  lastResort.finish = () => new Promise(() => {});
  lastResort.handle(new Error('x'));
  await clock.advance(4_999);
  expect(exits).toEqual([]);
  await clock.advance(1);
  expect(exits).toEqual([70]);
});

test('a second error ends at once', () => {
  lastResort.finish = () => new Promise(() => {});
  lastResort.handle(new Error('x'));
  lastResort.handle(new Error('y'));
  expect(exits).toEqual([70]);
  expect(lines.map(({ err }) => err.message)).toEqual(['x', 'y']);
});

test.each([
  ['rejects', () => Promise.reject(new Error('z'))],
  [
    'throws',
    () => {
      throw new Error('z');
    },
  ],
])('a finish that %s ends, too', async (_, finish) => {
  lastResort.finish = finish;
  lastResort.handle(new Error('x'));
  await clock.advance(0);
  expect(exits).toEqual([70]);
});

test('anything may be thrown, and secrets are not told', async () => {
  lastResort.secrets = () => ['hunter22'];
  for (const thrown of [
    undefined,
    null,
    'hunter22',
    7n,
    Symbol('s'),
    { toString: () => 'hunter22' },
    new Error('is hunter22'),
  ])
    lastResort.handle(thrown);
  expect(lines).toHaveLength(7);
  expect(JSON.stringify(lines)).not.toContain('hunter22');
  expect(JSON.stringify(lines)).toContain('is [secret]');
});
