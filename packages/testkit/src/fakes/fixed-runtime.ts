import { once } from 'node:events';
import {
  type Endpoint,
  Failure,
  type InspectedInstance,
  type InstanceSpec,
  type RunningInstance,
  type Runtime,
  type RuntimeEvent,
} from '@cless/model';

/** A runtime whose instances run already: service → endpoint. For tests of what comes after the start. */
export class FixedRuntime implements Runtime {
  readonly name = 'fixed';
  readonly capabilities = { pause: false };
  readonly #endpoints: Readonly<Record<string, Endpoint>>;
  readonly #instances = new Map<string, InspectedInstance & RunningInstance>();

  constructor(endpoints: Readonly<Record<string, Endpoint>>) {
    this.#endpoints = endpoints;
  }

  async prepare(): Promise<void> {}

  async listImages() {
    return new Map(Object.keys(this.#endpoints).map((name) => [name, name]));
  }

  async image(name: string) {
    return name in this.#endpoints ? { id: name, exposedPorts: [] } : undefined;
  }

  specHash(spec: InstanceSpec): string {
    return JSON.stringify(spec);
  }

  async start(spec: InstanceSpec): Promise<RunningInstance> {
    const { service, revision } = spec;
    const endpoint = this.#endpoints[spec.image];
    if (endpoint === undefined) throw new Failure('IMAGE_NOT_FOUND', `there is no ${spec.image}`);
    const instance = {
      id: `fixed-${service}`,
      service,
      revision,
      spec: this.specHash(spec),
      state: 'running' as const,
      endpoint,
      exit: undefined,
    };
    this.#instances.set(instance.id, instance);
    return instance;
  }

  async pause(): Promise<void> {}
  async resume(): Promise<void> {}

  async stop(id: string): Promise<void> {
    this.#instances.delete(id);
  }

  async inspect(id: string): Promise<InspectedInstance | undefined> {
    return this.#instances.get(id);
  }

  async list(): Promise<InspectedInstance[]> {
    return [...this.#instances.values()];
  }

  async logs(): Promise<string[]> {
    return [];
  }

  async *followLogs(): AsyncGenerator<string> {}

  async *watch(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    yield { type: 'connected' };
    if (!signal.aborted) await once(signal, 'abort');
  }

  async close(): Promise<void> {}
}
