import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import promises from 'node:timers/promises';

/** The real time that was waited for. */
export interface RealTime {
  /** Where each long timer that has fired was set; the reader empties it. */
  readonly waits: string[];
  /** Restores everything. */
  stop(): void;
}

/**
 * Watches Node's timers. A cancelled timer, as most deadlines are, takes no time; one that fires has been waited for.
 * Fake clocks are not affected.
 */
export function watchRealTime(longMs: number): RealTime {
  const waits: string[] = [];
  const before = {
    setTimeout: timers.setTimeout,
    setInterval: timers.setInterval,
    sleep: promises.setTimeout,
    timeout: AbortSignal.timeout,
  };

  /** Records where the timer was set when it fires. */
  const watched = (ms: unknown) => {
    if (!(Number(ms) >= longMs)) return () => {};
    const { stack = '' } = new Error(`${ms} ms`);
    return () => waits.push(stack);
  };
  const watching =
    <Id>(arm: (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => Id) =>
    (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): Id => {
      const goesOff = watched(ms);
      return arm(
        (...given) => {
          goesOff();
          callback(...given);
        },
        ms,
        ...args,
      );
    };

  const setTimeout = Object.assign(watching(before.setTimeout), before.setTimeout);
  const setInterval = Object.assign(watching(before.setInterval), before.setInterval);
  const put = (global: object, sleep: unknown, timeout: unknown) => {
    Object.assign(globalThis, global);
    Object.assign(timers, global);
    Object.assign(promises, { setTimeout: sleep });
    Object.assign(AbortSignal, { timeout });
    syncBuiltinESMExports();
  };
  put(
    { setTimeout, setInterval },
    async (ms?: number, ...more: [unknown?, object?]) => {
      const goesOff = watched(ms);
      const value = await before.sleep(ms, ...more);
      goesOff();
      return value;
    },
    (ms: number) => {
      const signal = before.timeout.call(AbortSignal, ms);
      signal.addEventListener('abort', watched(ms));
      return signal;
    },
  );
  return {
    waits,
    stop: () =>
      put({ setTimeout: before.setTimeout, setInterval: before.setInterval }, before.sleep, before.timeout),
  };
}
