import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Activator, RuntimeStatus } from './activator.ts';
import type { ActivatorEvent } from './activator-event.ts';
import { reasonOf } from './errors.ts';

/** What is counted of one service's requests. Plain numbers: a label costs nothing until somebody asks. */
export class ServiceMeter {
  inFlight = 0;
  /** By the first digit of the status. */
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

/** Services that have a label of their own. */
const MAX_SERVICES = 1_000;
const OTHERS = '_others';
const START_SECONDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60];
const RESUME_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What Prometheus is told (text format 0.0.4). The number of services with labels of their own is bounded. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #meters = new Map<string, ServiceMeter>();
  readonly #others = new ServiceMeter();
  readonly #coldStarts: Histogram<'service'>;
  readonly #resumes: Histogram<'service'>;
  readonly #failures: Counter<'service' | 'reason'>;
  readonly #problems: Counter<'type'>;

  constructor(activator: () => Pick<Activator, 'instances' | 'waiting' | 'connected'>) {
    const registers = [this.#registry];
    const labelled = (service: string) => this.#label(service);
    const meters = () => this.#all();
    this.#coldStarts = new Histogram({
      name: 'cless_cold_start_seconds',
      help: 'From the decision to start an instance until it is ready.',
      labelNames: ['service'],
      buckets: START_SECONDS,
      registers,
    });
    this.#resumes = new Histogram({
      name: 'cless_resume_seconds',
      help: 'How long waking a paused instance takes.',
      labelNames: ['service'],
      buckets: RESUME_SECONDS,
      registers,
    });
    this.#failures = new Counter({
      name: 'cless_start_failures_total',
      help: 'Starts that failed, by reason.',
      labelNames: ['service', 'reason'],
      registers,
    });
    this.#problems = new Counter({
      name: 'cless_problems_total',
      help: "Answers of the proxy's own, by type.",
      labelNames: ['type'],
      registers,
    });
    new Counter({
      name: 'cless_requests_total',
      help: 'Requests that have ended, by the class of their status.',
      labelNames: ['service', 'code'],
      registers,
      collect() {
        this.reset();
        for (const [service, { answered }] of meters()) {
          for (const [first, count] of answered.entries()) {
            if (count > 0) this.inc({ service, code: `${first}xx` }, count);
          }
        }
      },
    });
    new Gauge({
      name: 'cless_requests_in_flight',
      help: 'Requests that are being held or answered, upgraded connections among them.',
      labelNames: ['service'],
      registers,
      collect() {
        this.reset();
        for (const [service, { inFlight }] of meters()) this.set({ service }, inFlight);
      },
    });
    new Gauge({
      name: 'cless_requests_waiting',
      help: 'Requests that wait for an instance.',
      labelNames: ['service'],
      registers,
      collect() {
        this.reset();
        for (const [service, count] of activator().waiting()) this.inc({ service: labelled(service) }, count);
      },
    });
    new Gauge({
      name: 'cless_instances',
      help: 'Instances, by state.',
      labelNames: ['service', 'state'],
      registers,
      collect() {
        this.reset();
        for (const { revision, state } of activator().instances())
          this.inc({ service: labelled(revision.service), state });
      },
    });
    new Gauge({
      name: 'cless_runtime_connected',
      help: 'Can the runtime be reached?',
      registers,
      collect() {
        this.set(activator().connected ? 1 : 0);
      },
    });
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the proxy.',
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** The meter of a service that exists. */
  of(service: string): ServiceMeter {
    let meter = this.#meters.get(service);
    if (meter === undefined) {
      if (this.#meters.size >= MAX_SERVICES) return this.#others;
      meter = new ServiceMeter();
      this.#meters.set(service, meter);
    }
    return meter;
  }

  /** An answer of the proxy's own. */
  problem(type: string): void {
    this.#problems.inc({ type });
  }

  event(event: ActivatorEvent | RuntimeStatus): void {
    switch (event.type) {
      case 'ready':
        this.#coldStarts.observe({ service: this.#label(event.service) }, event.durationMs / 1_000);
        return;
      case 'resumed':
        if (!event.byHand)
          this.#resumes.observe({ service: this.#label(event.service) }, event.durationMs / 1_000);
        return;
      case 'start-failed': {
        this.#failures.inc({ service: this.#label(event.service), reason: reasonOf(event.error) });
        return;
      }
    }
  }

  /** In the text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  // Private

  #label(service: string): string {
    return this.of(service) === this.#others ? OTHERS : service;
  }

  *#all(): Generator<[string, ServiceMeter]> {
    yield* this.#meters;
    if (this.#meters.size >= MAX_SERVICES) yield [OTHERS, this.#others];
  }
}
