import { FakeClock } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { ReadinessProbe } from '../runtime.ts';
import { type Finding, type Look, prove } from './proof.ts';

const endpoint = { host: '127.0.0.1', port: 1 };

let clock: FakeClock;
let ended: AbortController;
let refused: number;
/** How many attempts a probe makes before it times out; zero means that it is answered. */
let attempts: number;

const probe: ReadinessProbe<{ timeoutMs: number }> = async (_, { timeoutMs }) => {
  if (attempts === 0) return { attempts: 1 };
  await new Promise<void>((resolve) => clock.after(timeoutMs, resolve));
  throw Object.assign(new Error('not ready'), { code: 'NOT_READY', attempts });
};

beforeEach(() => {
  clock = new FakeClock();
  ended = new AbortController();
  refused = 0;
});

/** Advances the clock until there is a finding. The last look is repeated. */
async function proved(...looks: Look[]): Promise<{ finding: Finding; afterMs: number }> {
  const beganMs = clock.now();
  let finding: Finding | undefined;
  const done = prove({
    look: async () => (looks.length > 1 ? looks.shift() : looks[0]) ?? 'settled',
    endpoint: () => endpoint,
    readiness: { timeoutMs: 30_000 },
    probe,
    clock,
    refused: () => (refused += 1),
    signal: ended.signal,
  }).then((found) => (finding = found));
  while (finding === undefined) await clock.advance(50);
  return { finding: await done, afterMs: clock.now() - beganMs };
}

test.each([
  ['answers', 0, ['running'], 'answers', 0],
  ['is silent, as with a full queue of connections', 1, ['running'], 'answers', 0],
  ['refuses for three seconds', 9, ['running'], 'unreachable', 12],
  ['has no address', 0, ['nowhere'], 'nowhere', 12],
  ['has none for a moment', 0, ['nowhere', 'running'], 'answers', 1],
  ['refuses, and the runtime does not answer', 9, ['unknown'], 'unknown', 12],
  ['answers, and the runtime does not', 0, ['unknown'], 'answers', 0],
  ['has ended meanwhile', 9, ['running', 'running', 'settled'], 'settled', 2],
] as const)('what %s', async (_, tries, looks, finding, times) => {
  attempts = tries;
  expect(await proved(...looks)).toMatchObject({ finding });
  expect(refused).toBe(times);
  expect(clock.timers).toBe(0);
});

test('ends with the signal', async () => {
  attempts = 9;
  clock.after(1_000, () => ended.abort());
  const { finding, afterMs } = await proved('running');
  expect(finding).toBe('settled');
  expect(afterMs).toBeLessThan(1_500);
});
