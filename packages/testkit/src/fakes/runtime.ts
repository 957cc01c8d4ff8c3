import {
  type Clock,
  Failure,
  type InspectedInstance,
  type InstanceSpec,
  type RunningInstance,
  type Runtime,
  type RuntimeEvent,
  type RuntimeInstance,
} from '@cless/model';

/** How the fake behaves. Times in milliseconds. */
export interface FakeBehaviour {
  createMs: number;
  startMs: number;
  pauseMs: number;
  resumeMs: number;
  stopMs: number;
  /** Does the engine answer? */
  reachable: boolean;
  /** Do calls fail although what they ask for happens later? */
  answersLate: boolean;
  /** What the next starts do. `again`: the first instance is replaced by another, as when its network or port is gone. */
  starts: 'run' | 'refuse' | 'exit' | 'never-ready' | 'again' | 'no-image';
}

interface FakeInstance {
  readonly id: string;
  readonly spec: InstanceSpec;
  port: number;
  state: RuntimeInstance['state'];
  ready: boolean;
  /** Does the instance accept connections? */
  listens: boolean;
  /** Is the instance on a network? */
  connected: boolean;
  exitCode: number;
}

const HOST = '127.0.0.1';
/** How late an unanswered call takes effect, in milliseconds. */
const LATE_MS = 3_000;

type Failing = 'IMAGE_NOT_FOUND' | 'INSTANCE_NOT_FOUND' | 'START_FAILED' | 'ENGINE_UNREACHABLE';

function failed(code: Failing): Failure {
  return new Failure(code, `fake: ${code}`);
}

/** A small working runtime in memory, with latencies on an injected clock, that fails on demand. */
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
    answersLate: false,
    starts: 'run',
  };
  /** The instances by id. */
  readonly instances = new Map<string, FakeInstance>();
  readonly images = new Map<string, string>();
  /** How many starts there have been. */
  started = 0;
  /** How many times the list has been requested. */
  listed = 0;
  /** Instances of others, which are never listed and must not be touched. */
  readonly others = new Set<string>();
  /** Called when any instance has changed. */
  readonly #changed = new Set<() => void>();
  readonly #clock: Clock;
  readonly #watchers = new Set<(event: RuntimeEvent) => void>();
  #nextId = 1;
  #nextPort = 1_000;
  #deaf = false;

  constructor(clock: Clock, { pause = true }: { pause?: boolean } = {}) {
    this.#clock = clock;
    this.capabilities = { pause };
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  async prepare(): Promise<void> {}
  async close(): Promise<void> {}

  async listImages(): Promise<ReadonlyMap<string, string>> {
    this.#check();
    return new Map(this.images);
  }

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
    { onCreated, signal }: { onCreated?: (id: string) => void; signal?: AbortSignal } = {},
  ): Promise<RunningInstance> {
    this.#check();
    this.started += 1;
    const { starts } = this.behaviour;
    if (starts === 'no-image') throw failed('IMAGE_NOT_FOUND');
    if (starts === 'again') {
      const first = await this.#create(spec, onCreated);
      this.die(first.id, 137);
      await this.#pass(this.behaviour.createMs);
      this.instances.delete(first.id);
      this.#clock.after(this.behaviour.createMs, () => this.#emit({ type: 'removed', id: first.id }));
    }
    const instance = await this.#create(spec, onCreated);
    const { id } = instance;
    try {
      await this.#pass(this.behaviour.startMs, signal);
    } catch (error) {
      if (signal?.aborted) this.instances.delete(id);
      throw error;
    }
    this.#running(id, 'START_FAILED').state = 'running';
    this.#tellChanged();
    if (starts === 'exit') this.die(id);
    return { ...this.#describe(instance), endpoint: { host: HOST, port: instance.port } };
  }

  async pause(id: string): Promise<void> {
    await this.#call(this.behaviour.pauseMs, () => {
      this.#running(id).state = 'paused';
      this.#emit({ type: 'paused', id });
    });
  }

  async resume(id: string): Promise<void> {
    await this.#call(this.behaviour.resumeMs, () => {
      this.#running(id).state = 'running';
      this.#emit({ type: 'resumed', id });
    });
  }

  async stop(id: string): Promise<void> {
    if (this.others.has(id)) throw new Error(`${id} is somebody else's`);
    const takesMs = this.instances.get(id)?.state === 'exited' ? 0 : this.behaviour.stopMs;
    await this.#call(takesMs, () => {
      this.die(id, 143);
      if (this.instances.delete(id)) this.#emit({ type: 'removed', id });
    });
  }

  async inspect(id: string): Promise<InspectedInstance | undefined> {
    this.#check();
    const instance = this.instances.get(id);
    return instance && this.#describe(instance);
  }

  async list(): Promise<RuntimeInstance[]> {
    this.#check();
    this.listed += 1;
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

  /** The matching probe. For `tcp` a connection is enough, which the kernel also accepts for a paused process. */
  readonly probe = async (
    { port }: { port: number },
    { check, timeoutMs, signal }: { check: { kind: string }; timeoutMs: number; signal: AbortSignal },
  ): Promise<{ attempts: number }> => {
    signal.throwIfAborted();
    const answers = () => {
      const instance = [...this.instances.values()].find((one) => one.port === port && one.connected);
      if (instance === undefined || !instance.listens) return false;
      return check.kind === 'tcp'
        ? ['running', 'paused'].includes(instance.state)
        : instance.ready && instance.state === 'running';
    };
    if (!answers()) await this.#until(answers, timeoutMs, signal);
    return { attempts: 1 };
  };

  // Changes behind the proxy's back

  /** The instance exits. */
  die(id: string, exitCode = 1): void {
    const instance = this.instances.get(id);
    if (instance === undefined || instance.state === 'exited') return;
    instance.state = 'exited';
    instance.exitCode = exitCode;
    this.#emit({ type: 'exited', id, exitCode, oomKilled: false });
  }

  /** One of its processes is killed because memory ran out. */
  runOutOfMemory(id: string): void {
    this.#emit({ type: 'oom', id });
  }

  /** The app stops accepting connections, or accepts them again. */
  listen(id: string, listens: boolean): void {
    const instance = this.instances.get(id);
    if (instance !== undefined) instance.listens = listens;
    this.#tellChanged();
  }

  /** The instance loses its network, or gets another with another address. */
  connect(id: string, connected: boolean): void {
    const instance = this.instances.get(id);
    if (instance === undefined) return;
    if (connected && !instance.connected) instance.port = this.#nextPort++;
    instance.connected = connected;
    this.#tellChanged();
  }

  /** Runs `happen` without reporting events. */
  async withoutEvents(happen: () => unknown): Promise<void> {
    this.#deaf = true;
    await happen();
    this.#deaf = false;
  }

  /** Breaks off the stream of events, and resumes it. */
  breakEvents(): void {
    this.#emit(lost());
    this.#emit({ type: 'connected' });
  }

  /** Removes an instance by force. */
  remove(id: string): void {
    this.die(id, 137);
    if (this.instances.delete(id)) this.#emit({ type: 'removed', id });
  }

  pauseByHand(id: string): void {
    const instance = this.instances.get(id);
    if (instance?.state !== 'running') return;
    instance.state = 'paused';
    this.#tellChanged();
    this.#emit({ type: 'paused', id });
  }

  resumeByHand(id: string): void {
    const instance = this.instances.get(id);
    if (instance?.state !== 'paused') return;
    instance.state = 'running';
    this.#tellChanged();
    this.#emit({ type: 'resumed', id });
  }

  /** The engine goes away or comes back. Events in between are lost. */
  setReachable(reachable: boolean): void {
    if (this.behaviour.reachable === reachable) return;
    if (!reachable) this.#emit(lost());
    this.behaviour.reachable = reachable;
    if (reachable) this.#emit({ type: 'connected' });
  }

  /** Moves a tag to another image. */
  tag(reference: string, id: string): void {
    this.images.set(reference, id);
    this.#emit({ type: 'images-changed' });
  }

  // Private

  #emit(event: RuntimeEvent): void {
    if (this.behaviour.reachable && !this.#deaf) for (const push of this.#watchers) push(event);
  }

  #check(): void {
    if (!this.behaviour.reachable) throw failed('ENGINE_UNREACHABLE');
  }

  async #pass(ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        resolve();
      });
      if (signal?.aborted) timer.cancel();
      if (signal?.aborted) resolve();
    });
    signal?.throwIfAborted();
    this.#check();
  }

  async #call(ms: number, happen: () => void): Promise<void> {
    this.#check();
    if (this.behaviour.answersLate) {
      this.#later(happen);
      throw failed('ENGINE_UNREACHABLE');
    }
    await this.#pass(ms);
    happen();
    this.#tellChanged();
  }

  #later(happen: () => void): void {
    this.#clock.after(LATE_MS, () => {
      try {
        happen();
      } catch {
        // the client has gone
      }
      this.#tellChanged();
    });
  }

  async #create(spec: InstanceSpec, onCreated?: (id: string) => void): Promise<FakeInstance> {
    await this.#pass(this.behaviour.createMs);
    const { starts } = this.behaviour;
    if (starts === 'refuse') throw failed('START_FAILED');
    const id = `i${this.#nextId++}`;
    const instance: FakeInstance = {
      id,
      spec,
      port: this.#nextPort++,
      state: 'created',
      ready: starts !== 'never-ready',
      listens: true,
      connected: true,
      exitCode: 1,
    };
    if (this.behaviour.answersLate) {
      this.#later(() => this.instances.set(id, { ...instance, state: 'running' }));
      throw failed('ENGINE_UNREACHABLE');
    }
    this.instances.set(id, instance);
    onCreated?.(id);
    return instance;
  }

  #tellChanged(): void {
    for (const changed of this.#changed) changed();
  }

  /** @throws `NOT_READY`, or the signal's reason */
  async #until(answers: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => answers() && resolve();
    const timer = this.#clock.after(timeoutMs, () =>
      reject(new Failure('NOT_READY', 'fake: NOT_READY', { timeoutMs, attempts: 2 })),
    );
    const abort = () => reject(signal.reason);
    this.#changed.add(look);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      timer.cancel();
      this.#changed.delete(look);
      signal.removeEventListener('abort', abort);
    }
  }

  #running(id: string, code: Failing = 'INSTANCE_NOT_FOUND'): FakeInstance {
    const instance = this.instances.get(id);
    if (instance === undefined || instance.state === 'exited') throw failed(code);
    return instance;
  }

  #describe({ id, spec, port, state, connected, exitCode }: FakeInstance): InspectedInstance {
    const runs = state === 'running' || state === 'paused';
    return {
      id,
      service: spec.service,
      revision: spec.revision,
      spec: this.specHash(spec),
      state,
      endpoint: runs && connected ? { host: HOST, port } : undefined,
      exit: state === 'exited' ? { exitCode, oomKilled: false } : undefined,
    };
  }
}

function lost(): RuntimeEvent {
  return { type: 'disconnected', error: new Error('the engine is gone') };
}
