import { expect, test } from 'vitest';
import { Limit } from './limit.ts';

test('so many at once, the others in order, and each that waits may leave', async () => {
  const limit = new Limit(2);
  const never = new AbortController().signal;
  const order: string[] = [];
  const gates = new Map<string, () => void>();
  const run = (name: string, signal = never) =>
    limit.run(async () => {
      order.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
    }, signal);
  const turn = () => new Promise(setImmediate);

  const leaver = new AbortController();
  const running = [run('a'), run('b')];
  const left = expect(run('c', leaver.signal)).rejects.toBe('bye');
  running.push(run('d'), run('e'));
  await turn();
  expect(order).toEqual(['a', 'b']);
  leaver.abort('bye');
  await left;
  gates.get('a')?.();
  await turn();
  expect(order).toEqual(['a', 'b', 'd']);
  gates.get('b')?.();
  gates.get('d')?.();
  await turn();
  gates.get('e')?.();
  await Promise.all(running);
  expect(order).toEqual(['a', 'b', 'd', 'e']);

  await expect(limit.run(async () => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
  const again = [run('f'), run('g')];
  await turn();
  expect(order.slice(-2)).toEqual(['f', 'g']);
  gates.get('f')?.();
  gates.get('g')?.();
  await Promise.all(again);
});
