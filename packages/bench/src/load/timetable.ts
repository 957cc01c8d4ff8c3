import { quantile } from '../report/statistics.ts';

/** What an open loop measured. Latencies in milliseconds, from the time at which a request was due. */
export interface Punctuality {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** The share of requests that had been answered when the last one was due. */
  readonly kept: number;
  /** By how much the load itself came late though a connection was free. */
  readonly lateP99: number;
}

/**
 * The times at which the requests of an open loop are due, whether or not those before have been answered. Latency counts
 * from the time a request was due: one that has to wait, because the answers before it are late, says so, and is not
 * left out (coordinated omission).
 */
export class Timetable {
  readonly endMs: number;
  readonly #beginMs: number;
  readonly #everyMs: number;
  readonly #answeredMs: Float64Array;
  readonly #lateMs: number[] = [];
  #sent = 0;
  #answered = 0;

  constructor(beginMs: number, perSecond: number, seconds: number) {
    this.#beginMs = beginMs;
    this.#everyMs = 1_000 / perSecond;
    this.#answeredMs = new Float64Array(Math.floor(perSecond * seconds)).fill(Number.NaN);
    this.endMs = beginMs + seconds * 1_000;
  }

  get isAnswered(): boolean {
    return this.#answered === this.#answeredMs.length;
  }

  /** Takes the next request if it is due; undefined if none is. */
  take(nowMs: number): number | undefined {
    const isDue = this.#sent < this.#answeredMs.length && this.#dueMs(this.#sent) <= nowMs;
    return isDue ? this.#sent++ : undefined;
  }

  /** Takes the next request for a connection that was free before. */
  takeIdle(nowMs: number): number | undefined {
    const request = this.take(nowMs);
    if (request !== undefined) this.#lateMs.push(nowMs - this.#dueMs(request));
    return request;
  }

  answered(request: number, nowMs: number): void {
    this.#answeredMs[request] = nowMs;
    this.#answered += 1;
  }

  /** Sums up what was due after the warm-up. Requests without an answer have waited until now. */
  sum(nowMs: number, warmUpSeconds = 0): Punctuality {
    const first = Math.ceil((warmUpSeconds * 1_000) / this.#everyMs);
    const answeredMs = this.#answeredMs.subarray(first);
    const latencies = answeredMs.map((ms, i) => (Number.isNaN(ms) ? nowMs : ms) - this.#dueMs(first + i));
    return {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      p999: quantile(latencies, 0.999),
      kept: answeredMs.filter((ms) => ms <= this.endMs).length / answeredMs.length,
      lateP99: quantile(this.#lateMs, 0.99),
    };
  }

  #dueMs(request: number): number {
    return this.#beginMs + request * this.#everyMs;
  }
}
