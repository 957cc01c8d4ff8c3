import { once } from 'node:events';
import type { Endpoint, InstanceSpec, Runtime, RuntimeEvent, RuntimeInstance } from '@cless/model';

/** A runtime whose instances are there already: service → endpoint. For tests of what comes after the start. */
export class FixedRuntime implements Runtime {
  readonly name = 'fixed';
  readonly capabilities = { pause: false };
  readonly #endpoints: Readonly<Record<string, Endpoint>>;
  readonly #instances = new Map<string, RuntimeInstance>();

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

  async start(spec: InstanceSpec): Promise<RuntimeInstance> {
    const { service, revision } = spec;
    const instance: RuntimeInstance = {
      id: `fixed-${service}`,
      service,
      revision,
      spec: this.specHash(spec),
      state: 'running',
      endpoint: this.#endpoints[spec.image],
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

  async inspect(id: string): Promise<RuntimeInstance | undefined> {
    return this.#instances.get(id);
  }

  async list(): Promise<RuntimeInstance[]> {
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
