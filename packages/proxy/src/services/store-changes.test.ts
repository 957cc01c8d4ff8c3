import { MemoryStore } from '@cless/store';
import { FakeClock, sampleService } from '@cless/testkit';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { followChanges } from './store-changes.ts';

test('what cannot be read is no failure of who changed it, and is read again', async () => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).msg) });
  let failures = 3;
  const taken: string[] = [];
  followChanges({
    store,
    log,
    clock,
    take: (service) => {
      if (failures-- > 0) throw new Error('disk I/O error');
      taken.push(service);
    },
  });
  expect(store.put(sampleService('web', { hosts: ['web.example'] })).name).toBe('web');
  expect(taken).toEqual([]);
  await clock.advance(1_000);
  expect(taken).toEqual(['web']);
  expect(logged).toHaveLength(3);
  expect(clock.timers).toBe(0);
  store.remove('web');
  expect(taken).toEqual(['web', 'web']);
});
