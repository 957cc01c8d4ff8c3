// A runtime whose instances are HTTP servers in this process. It shows what the proxy needs from a driver; a real one
// would talk to a hypervisor, a cluster, or sleeping machines.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { InspectedInstance, InstanceSpec, RunningInstance, Runtime, RuntimeEvent } from '@cless/proxy';

interface Running {
  readonly instance: RunningInstance & InspectedInstance;
  readonly server: Server;
}

export class InProcessRuntime implements Runtime {
  readonly name = 'in-process';
  readonly capabilities = { pause: false }; // idle instances are stopped at once
  readonly #handlers: ReadonlyMap<string, RequestListener>;
  readonly #running = new Map<string, Running>();
  #nextId = 1;

  /** @param handlers by the name of their image */
  constructor(handlers: Readonly<Record<string, RequestListener>>) {
    this.#handlers = new Map(Object.entries(handlers));
  }

  async prepare(): Promise<void> {}

  async listImages() {
    return new Map([...this.#handlers.keys()].map((name) => [name, name])); // name → id
  }

  async image(name: string) {
    return this.#handlers.has(name) ? { id: name, exposedPorts: [] } : undefined;
  }

  specHash(spec: InstanceSpec): string {
    return JSON.stringify(spec);
  }

  async start(
    spec: InstanceSpec,
    { onCreated }: { onCreated?: (id: string) => void } = {},
  ): Promise<RunningInstance> {
    const { service, revision, image } = spec;
    const id = `in-process-${this.#nextId++}`;
    onCreated?.(id);
    const server = createServer(this.#handlers.get(image)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
    const instance = {
      id,
      service,
      revision,
      spec: this.specHash(spec),
      state: 'running' as const,
      endpoint: { host: '127.0.0.1', port: address.port },
      exit: undefined,
    };
    this.#running.set(id, { instance, server });
    return instance;
  }

  async pause(): Promise<void> {
    throw new Error('it cannot');
  }

  async resume(): Promise<void> {
    throw new Error('it cannot');
  }

  async stop(id: string): Promise<void> {
    const { server } = this.#running.get(id) ?? {};
    this.#running.delete(id);
    server?.close();
    server?.closeAllConnections();
  }

  async inspect(id: string): Promise<InspectedInstance | undefined> {
    return this.#running.get(id)?.instance;
  }

  async list() {
    return [...this.#running.values()].map(({ instance }) => instance);
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
