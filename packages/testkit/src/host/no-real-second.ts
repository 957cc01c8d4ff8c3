import { afterAll, afterEach, beforeAll } from 'vitest';
import { type RealTime, watchRealTime } from './real-time.ts';

/*
 * Loaded before each file of unit tests: fails a test that waits for a second of real time. Such a test should inject
 * a clock, or be an integration test.
 */

const LONG_MS = 1_000;
let time: RealTime;

beforeAll(() => {
  time = watchRealTime(LONG_MS);
});

afterEach(() => {
  const waits = time.waits.splice(0);
  if (waits.length > 0) throw new Error(`a unit test waited in real time: ${waits.join('\n')}`);
});

afterAll(() => time.stop());
