/** A pending callback. */
export interface Timer {
  cancel(): void;
}

/** Monotonic time, so that a jump of the wall clock has no effect. */
export interface Clock {
  /** Milliseconds since an arbitrary fixed moment. */
  now(): number;
  /** Runs the callback once, after `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      // Node fires longer timers at once.
      const stepMs = Math.min(leftMs, MAX_TIMEOUT_MS);
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs);
    };
    arm(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
