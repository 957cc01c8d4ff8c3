import type { Revision } from '@cless/model';
import { FakeClock, FakeRuntime } from '@cless/testkit';
import type { InstanceEvent } from '../event.ts';
import { Body } from './body.ts';
import { Ending } from './ending.ts';
import { Launch } from './launch.ts';
import type { InstanceState } from './state.ts';

const SPEC = { service: 'web', revision: 'web-1', image: 'web-1', port: 80 };

/** For tests: a body in a fake runtime, with the parts it needs, which records events. */
export class FakeBody {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly events: InstanceEvent[] = [];
  readonly states: InstanceState[] = [];
  readonly ids: string[] = [];
  /** The connections that were closed or broken off. */
  readonly connections: string[] = [];
  readonly closing = new AbortController();
  touched = 0;
  moved = 0;
  doubts = 0;
  overdue = 0;
  readonly revision: Revision = {
    service: 'web',
    id: 'web-1',
    spec: SPEC,
    readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
    idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
    stopGraceMs: 1_000,
    secrets: ['line'],
  };
  readonly body: Body<Revision> = new Body(
    this.revision,
    {
      runtime: this.runtime,
      probe: this.runtime.probe,
      clock: this.clock,
      connections: {
        close: async (id) => void this.connections.push(`${id} closed`),
        destroy: (id) => void this.connections.push(`${id} destroyed`),
      },
      explain: async () => 'it says why',
      closing: this.closing.signal,
    },
    {
      tell: (event) => this.events.push(event),
      identified: (id) => this.ids.push(id),
      became: (state) => {
        this.states.push(state);
        this.launch.over();
        if (state === 'stopping') this.ending.begin();
        if (state === 'gone') this.ending.over();
      },
      moved: () => (this.moved += 1),
      touched: () => (this.touched += 1),
      doubt: () => (this.doubts += 1),
    },
  );
  readonly launch = new Launch(this.body, async () => {});
  readonly ending = new Ending(this.body, this.launch, () => (this.overdue += 1));

  /** Starts it and advances the clock until it is ready. */
  async start(): Promise<void> {
    const started = this.launch.start();
    await this.clock.advance(100);
    await started;
    this.events.length = 0;
  }

  get told(): string[] {
    return this.events.map(({ type }) => type);
  }
}
