/** An event as published by the admin API. */
interface PlatformEvent {
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly [fact: string]: unknown;
}

/** An instance as listed by the admin API. */
interface RunningInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  readonly state: string;
  readonly requests: number;
  readonly idleMs: number | undefined;
}

/** How the last start of a service went. */
interface LastStart {
  readonly service: string;
  readonly revision: string;
  readonly at: string;
  readonly image?: string;
  readonly failure?: {
    readonly reason: string;
    readonly message: string;
    readonly lastLogLines: readonly string[];
  };
}

/** A fake of the running proxy that the admin API needs. Revisions get ready unless `failure` is set. */
export class FakePlatform {
  readonly version = '1.2.3';
  readonly runtime = 'fake';
  connected = true;
  lost: string | undefined;
  waiting = 0;
  /** Images on the host, with their exposed ports. */
  readonly images = new Map<string, { id: string; exposedPorts: number[]; volumes?: string[] }>([
    ['disk:1', { id: `sha256:${'4'.repeat(64)}`, exposedPorts: [], volumes: ['/data'] }],
    ['web:1', { id: `sha256:${'1'.repeat(64)}`, exposedPorts: [3000] }],
    ['web:2', { id: `sha256:${'2'.repeat(64)}`, exposedPorts: [] }],
    ['broken:1', { id: `sha256:${'3'.repeat(64)}`, exposedPorts: [] }],
  ]);
  /** Images that can be pulled. */
  readonly registry = new Map<string, { id: string; exposedPorts: number[] }>();
  readonly running = new Map<string, RunningInstance & { lines: string[] }>();
  readonly events: PlatformEvent[] = [];
  /** Why revisions do not get ready from now on; undefined if they do. */
  failure: (Error & { lastLogLines?: string[] }) | undefined;
  /** What getting ready waits for. */
  gate: Promise<void> = Promise.resolve();
  refused: { field: string; reason: string }[] = [];
  readonly #listeners = new Set<(event: PlatformEvent) => void>();

  async instances(): Promise<readonly RunningInstance[]> {
    return [...this.running.values()].map(({ lines: _, ...instance }) => instance);
  }

  readonly lastStarts = new Map<string, LastStart>();

  lastStart(service: string) {
    return this.lastStarts.get(service);
  }

  async applied(): Promise<void> {}

  stop(id: string): boolean {
    return this.running.delete(id);
  }

  async *logs(
    id: string,
    { lines, follow, signal }: { lines: number; follow: boolean; signal: AbortSignal },
  ) {
    yield* this.running.get(id)?.lines.slice(-lines || Number.POSITIVE_INFINITY) ?? [];
    if (!follow) return;
    yield 'and one more';
    if (this.failure !== undefined) throw this.failure;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  async image(reference: string) {
    return this.images.get(reference);
  }

  readonly pull = async (reference: string, { onProgress }: { onProgress: (line: string) => void }) => {
    onProgress('layer 1: downloading');
    const image = this.registry.get(reference);
    if (image === undefined)
      throw Object.assign(new Error(`image ${reference} could not be pulled`), { code: 'PULL_FAILED' });
    this.images.set(reference, image);
  };

  /** The volumes of each service; those of `busy` are in use. */
  readonly volumesOf = new Map<string, { name: string; target: string }[]>();
  readonly volumes = {
    of: async (service: string) => this.volumesOf.get(service) ?? [],
    remove: async (service: string) => {
      const left = service === 'busy' ? (this.volumesOf.get(service) ?? []) : [];
      this.volumesOf.set(service, left);
      return left;
    },
  };

  async refusals() {
    return this.refused;
  }

  async prove(service: string, revision: string) {
    this.publish({ type: 'starting', service, revision });
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const id = `${revision}-${'0'.repeat(20)}`;
    this.running.set(id, {
      id,
      service,
      revision,
      state: 'ready',
      requests: 0,
      idleMs: 0,
      lines: ['hello', `from ${revision}`],
    });
    this.publish({ type: 'ready', service, revision, instance: id, durationMs: 12 });
    return { release() {} };
  }

  publish(facts: { readonly type: string; readonly [fact: string]: unknown }): void {
    const event: PlatformEvent = {
      id: `run-${this.events.length + 1}`,
      time: new Date().toISOString(),
      ...facts,
    };
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: PlatformEvent) => void, after?: string): () => void {
    if (after !== undefined)
      for (const event of this.events.slice(Number(after.split('-')[1]))) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.#listeners.size;
  }

  async metrics(): Promise<string> {
    return '# HELP cless_requests_total x\n';
  }
}
