/** Counts the requests of one service. Plain numbers, so that labels cost nothing until metrics are read. */
export class ServiceMeter {
  inFlight = 0;
  /** Answers by the first digit of their status. */
  readonly answered = [0, 0, 0, 0, 0, 0];

  begin(): void {
    this.inFlight += 1;
  }

  end(status: number): void {
    this.inFlight -= 1;
    const first = Math.floor(status / 100);
    this.answered[first] = (this.answered[first] ?? 0) + 1;
  }
}

/** The counters of one process, in a form that can be sent to another. */
export interface Snapshot {
  readonly services: readonly (readonly [service: string, inFlight: number, answered: readonly number[]])[];
  readonly problems: readonly (readonly [type: string, count: number])[];
  readonly residentBytes: number;
  /** Lines of the process' log that could not be written. */
  readonly logLinesDropped?: number;
}

/** How many services have counters of their own. */
export const MAX_SERVICES = 1_000;
/** The name under which all other services are counted. */
export const OTHERS = '_others';

/** Counts the requests of one process. */
export class Meters {
  readonly #services = new Map<string, ServiceMeter>();
  readonly #others = new ServiceMeter();
  readonly #problems = new Map<string, number>();

  /** The meter of an existing service. */
  of(service: string): ServiceMeter {
    let meter = this.#services.get(service);
    if (meter === undefined) {
      if (this.#services.size >= MAX_SERVICES) return this.#others;
      meter = new ServiceMeter();
      this.#services.set(service, meter);
    }
    return meter;
  }

  /** Counts an answer of the proxy's own. */
  problem(type: string): void {
    this.#problems.set(type, (this.#problems.get(type) ?? 0) + 1);
  }

  read(): Snapshot {
    const all = [...this.#services];
    if (all.length >= MAX_SERVICES) all.push([OTHERS, this.#others]);
    return {
      services: all.map(([service, { inFlight, answered }]) => [service, inFlight, [...answered]]),
      problems: [...this.#problems],
      residentBytes: process.memoryUsage.rss(),
    };
  }
}

/** Adds up the counters of several processes. */
export function sum(snapshots: readonly Snapshot[]): Snapshot {
  const services = new Map<string, [inFlight: number, answered: number[]]>();
  const problems = new Map<string, number>();
  for (const snapshot of snapshots) {
    for (const [name, inFlight, answered] of snapshot.services) {
      const service = services.has(name) || services.size < MAX_SERVICES ? name : OTHERS;
      const [before, counts] = services.get(service) ?? [0, []];
      services.set(service, [before + inFlight, answered.map((count, i) => count + (counts[i] ?? 0))]);
    }
    for (const [type, count] of snapshot.problems) problems.set(type, (problems.get(type) ?? 0) + count);
  }
  return {
    services: [...services].map(([service, [inFlight, answered]]) => [service, inFlight, answered]),
    problems: [...problems],
    residentBytes: snapshots.reduce((total, { residentBytes }) => total + residentBytes, 0),
    logLinesDropped: snapshots.reduce((total, { logLinesDropped = 0 }) => total + logLinesDropped, 0),
  };
}
