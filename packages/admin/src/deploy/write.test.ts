import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { write } from './write.ts';

const busy = Object.assign(new Error('the database is being written'), { code: 'DATABASE_BUSY' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a change is tried again while another program writes', async () => {
  let tries = 0;
  const written = write(() => {
    if (++tries < 5) throw busy;
    return 'done';
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await written).toBe('done');
  expect(tries).toBe(5);
});

test('and given up after two seconds', async () => {
  const written = write(() => {
    throw busy;
  }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await written).toBe(busy);
  expect(vi.getTimerCount()).toBe(0);
});

test('any other error is told at once', async () => {
  let tries = 0;
  const full = Object.assign(new Error('full'), { code: 'DATABASE_FULL' });
  const failing = write(() => {
    tries++;
    throw full;
  });
  await expect(failing).rejects.toBe(full);
  expect(tries).toBe(1);
});
