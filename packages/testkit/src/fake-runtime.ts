import type { Clock, InstanceSpec, Runtime, RuntimeEvent, RuntimeInstance } from '@cless/proxy';

/** How the fake behaves from now on. Times in milliseconds. */
export interface FakeBehaviour {
  createMs: number;
  startMs: number;
  pauseMs: number;
  resumeMs: number;
  stopMs: number;
  /** Does the engine answer? */
  reachable: boolean;
  /** What the next starts do. */
  starts: 'run' | 'refuse' | 'exit' | 'never-ready';
}

interface FakeInstance {
  readonly id: string;
  readonly spec: InstanceSpec;
  readonly port: number;
  state: RuntimeInstance['state'];
  ready: boolean;
}

class FakeRuntimeError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`fake: ${code}`);
    this.code = code;
  }
}

/** A small working runtime in memory, with latencies on an injected clock, that fails when it is told to. */
export class FakeRuntime implements Runtime {
  readonly name = 'fake';
  readonly capabilities: { pause: boolean };
  readonly behaviour: FakeBehaviour = {
    createMs: 5,
    startMs: 20,
    pauseMs: 5,
    resumeMs: 5,
    stopMs: 10,
    reachable: true,
    starts: 'run',
  };
  /** Instances as they are, by id. */
  readonly instances = new Map<string, FakeInstance>();
  readonly images = new Map<string, string>();
  /** How many starts there were. */
  started = 0;
  readonly #clock: Clock;
  readonly #watchers = new Set<(event: RuntimeEvent) => void>();
  #nextId = 1;

  constructor(clock: Clock, { pause = true }: { pause?: boolean } = {}) {
    this.#clock = clock;
    this.capabilities = { pause };
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  async prepare(): Promise<void> {}
  async close(): Promise<void> {}

  async image(reference: string) {
    this.#check();
    const id = this.images.get(reference);
    return id === undefined ? undefined : { id, exposedPorts: [] };
  }

  specHash(spec: InstanceSpec): string {
    return JSON.stringify([spec.service, spec.revision, spec.image, spec.env]);
  }

  async start(
    spec: InstanceSpec,
    { onCreated }: { onCreated?: (id: string) => void } = {},
  ): Promise<RuntimeInstance> {
    this.#check();
    this.started += 1;
    await this.#pass(this.behaviour.createMs);
    const { starts } = this.behaviour;
    if (starts === 'refuse') throw new FakeRuntimeError('START_FAILED');
    const id = `i${this.#nextId++}`;
    const instance: FakeInstance = {
      id,
      spec,
      port: this.#nextId,
      state: 'running',
      ready: starts !== 'never-ready',
    };
    this.instances.set(id, instance);
    onCreated?.(id);
    await this.#pass(this.behaviour.startMs);
    if (starts === 'exit') this.die(id);
    return this.#describe(instance);
  }

  async pause(id: string): Promise<void> {
    this.#check();
    await this.#pass(this.behaviour.pauseMs);
    this.#running(id).state = 'paused';
    this.#emit({ type: 'paused', id });
  }

  async resume(id: string): Promise<void> {
    this.#check();
    await this.#pass(this.behaviour.resumeMs);
    this.#running(id).state = 'running';
    this.#emit({ type: 'resumed', id });
  }

  async stop(id: string): Promise<void> {
    this.#check();
    if (this.instances.get(id)?.state !== 'exited') await this.#pass(this.behaviour.stopMs);
    this.die(id);
    if (this.instances.delete(id)) this.#emit({ type: 'removed', id });
  }

  async inspect(id: string): Promise<RuntimeInstance | undefined> {
    this.#check();
    const instance = this.instances.get(id);
    return instance && this.#describe(instance);
  }

  async list(): Promise<RuntimeInstance[]> {
    this.#check();
    return [...this.instances.values()].map((instance) => this.#describe(instance));
  }

  async logs(): Promise<string[]> {
    return ['the last line'];
  }

  async *followLogs(): AsyncGenerator<string> {
    yield 'the last line';
  }

  async *watch(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const queue: RuntimeEvent[] = [this.behaviour.reachable ? { type: 'connected' } : lost()];
    let wake = () => {};
    const push = (event: RuntimeEvent) => {
      queue.push(event);
      wake();
    };
    this.#watchers.add(push);
    const end = () => wake();
    signal.addEventListener('abort', end);
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#watchers.delete(push);
      signal.removeEventListener('abort', end);
    }
  }

  /** The probe that goes with it: an instance is ready at once, or never. */
  readonly probe = async (
    { port }: { port: number },
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<{ attempts: number; durationMs: number }> => {
    signal.throwIfAborted();
    const instance = [...this.instances.values()].find((one) => one.port === port);
    if (instance?.ready && instance.state === 'running') return { attempts: 1, durationMs: 0 };
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.#clock.after(timeoutMs, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
    throw new FakeRuntimeError('NOT_READY');
  };

  // What happens behind the proxy's back

  /** The instance exits. */
  die(id: string, exitCode = 1): void {
    const instance = this.instances.get(id);
    if (instance === undefined || instance.state === 'exited') return;
    instance.state = 'exited';
    this.#emit({ type: 'exited', id, exitCode, oomKilled: false });
  }

  /** Somebody removes it by force. */
  remove(id: string): void {
    this.die(id, 137);
    if (this.instances.delete(id)) this.#emit({ type: 'removed', id });
  }

  pauseByHand(id: string): void {
    const instance = this.instances.get(id);
    if (instance?.state !== 'running') return;
    instance.state = 'paused';
    this.#emit({ type: 'paused', id });
  }

  resumeByHand(id: string): void {
    const instance = this.instances.get(id);
    if (instance?.state !== 'paused') return;
    instance.state = 'running';
    this.#emit({ type: 'resumed', id });
  }

  /** The engine goes away, or comes back. Nobody is told what happened meanwhile. */
  setReachable(reachable: boolean): void {
    if (this.behaviour.reachable === reachable) return;
    if (!reachable) this.#emit(lost());
    this.behaviour.reachable = reachable;
    if (reachable) this.#emit({ type: 'connected' });
  }

  /** A new image under the name. */
  tag(reference: string, id: string): void {
    this.images.set(reference, id);
    this.#emit({ type: 'images-changed' });
  }

  // Private

  #emit(event: RuntimeEvent): void {
    if (this.behaviour.reachable) for (const push of this.#watchers) push(event);
  }

  #check(): void {
    if (!this.behaviour.reachable) throw new FakeRuntimeError('ENGINE_UNREACHABLE');
  }

  async #pass(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve));
    this.#check();
  }

  #running(id: string): FakeInstance {
    const instance = this.instances.get(id);
    if (instance === undefined || instance.state === 'exited')
      throw new FakeRuntimeError('INSTANCE_NOT_FOUND');
    return instance;
  }

  #describe({ id, spec, port, state }: FakeInstance): RuntimeInstance {
    return {
      id,
      service: spec.service,
      revision: spec.revision,
      spec: this.specHash(spec),
      state,
      endpoint: state === 'exited' ? undefined : { host: '127.0.0.1', port },
      exit: state === 'exited' ? { exitCode: 1, oomKilled: false } : undefined,
    };
  }
}

function lost(): RuntimeEvent {
  return { type: 'disconnected', error: new Error('the engine is gone') };
}
