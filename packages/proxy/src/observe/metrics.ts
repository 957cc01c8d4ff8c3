import type { Activator, ActivatorEvent, RuntimeStatus } from '@cless/activator';
import { type Revision, reasonOf } from '@cless/model';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MAX_SERVICES, OTHERS, type Snapshot } from './meters.ts';

const START_SECONDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60];
const RESUME_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];

export interface MetricsOptions {
  readonly activator: () => Pick<Activator<Revision>, 'instances' | 'waiting' | 'connected'>;
  /** Reads the counters of all edges. */
  readonly read: () => Promise<Snapshot>;
}

/** The metrics for Prometheus (text format 0.0.4). The number of services with labels of their own is limited. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #labels = new Set<string>();
  /** The counters as last read. */
  #snapshot: Snapshot = { services: [], problems: [], residentBytes: 0 };
  readonly #coldStarts: Histogram<'service'>;
  readonly #resumes: Histogram<'service'>;
  readonly #failures: Counter<'service' | 'reason'>;
  readonly #exits: Counter<'service' | 'reason'>;
  readonly #outOfMemory: Counter<'service'>;
  readonly #restarts: Counter<'service'>;

  constructor(options: MetricsOptions) {
    this.#options = options;
    const { activator } = options;
    const registers = [this.#registry];
    const labelled = (service: string) => this.#label(service);
    const snapshot = () => this.#snapshot;
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
    this.#exits = new Counter({
      name: 'cless_instance_exits_total',
      help: 'Instances that ended, or had to be replaced, after they had been ready, by reason.',
      labelNames: ['service', 'reason'],
      registers,
    });
    this.#outOfMemory = new Counter({
      name: 'cless_out_of_memory_total',
      help: 'Processes of instances that were killed for want of memory.',
      labelNames: ['service'],
      registers,
    });
    this.#restarts = new Counter({
      name: 'cless_restarts_total',
      help: 'Starts of an instance that nobody asked for, in place of one that ended.',
      labelNames: ['service'],
      registers,
    });
    new Counter({
      name: 'cless_problems_total',
      help: "Answers of the proxy's own, by type.",
      labelNames: ['type'],
      registers,
      collect() {
        this.reset();
        for (const [type, count] of snapshot().problems) this.inc({ type }, count);
      },
    });
    new Counter({
      name: 'cless_requests_total',
      help: 'Requests that have ended, by the class of their status.',
      labelNames: ['service', 'code'],
      registers,
      collect() {
        this.reset();
        for (const [name, , answered] of snapshot().services) {
          const service = labelled(name);
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
        for (const [name, inFlight] of snapshot().services) this.inc({ service: labelled(name) }, inFlight);
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
    new Counter({
      name: 'cless_log_lines_dropped_total',
      help: 'Log lines that could not be written: a full disk, a reader that is gone or too slow.',
      registers,
      collect() {
        this.reset();
        this.inc(snapshot().logLinesDropped ?? 0);
      },
    });
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the proxy, all its processes together.',
      registers,
      collect() {
        this.set(snapshot().residentBytes);
      },
    });
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
      case 'exited': {
        const reason = event.oomKilled ? 'out-of-memory' : event.exitCode === 0 ? 'completed' : 'failed';
        this.#exits.inc({ service: this.#label(event.service), reason });
        return;
      }
      case 'stopped':
        if (event.reason === 'vanished' || event.reason === 'unreachable')
          this.#exits.inc({ service: this.#label(event.service), reason: event.reason });
        return;
      case 'out-of-memory':
        this.#outOfMemory.inc({ service: this.#label(event.service) });
        return;
      case 'restarting':
        this.#restarts.inc({ service: this.#label(event.service) });
        return;
    }
  }

  /** The metrics in the text format. */
  async text(): Promise<string> {
    this.#snapshot = await this.#options.read();
    return this.#registry.metrics();
  }

  // Private

  #label(service: string): string {
    if (this.#labels.has(service)) return service;
    if (this.#labels.size >= MAX_SERVICES) return OTHERS;
    this.#labels.add(service);
    return service;
  }
}
