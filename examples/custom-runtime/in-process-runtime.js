// A runtime whose instances are HTTP servers in this very process. It shows what the proxy asks of a driver; a real
// one would talk to a hypervisor, a cluster, or machines that sleep.
import { once } from 'node:events';
import { createServer } from 'node:http';

export class InProcessRuntime {
  name = 'in-process';
  capabilities = { pause: false }; // what is idle is stopped at once
  #handlers;
  #instances = new Map();
  #nextId = 1;

  /** @param handlers name → request listener */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  async prepare() {}

  async listImages() {
    return new Map(Object.keys(this.#handlers).map((name) => [name, name])); // name → id
  }

  async image(name) {
    return name in this.#handlers ? { id: name, exposedPorts: [] } : undefined;
  }

  specHash(spec) {
    return JSON.stringify(spec);
  }

  async start(spec, { onCreated } = {}) {
    const id = `in-process-${this.#nextId++}`;
    onCreated?.(id);
    const server = createServer(this.#handlers[spec.image]).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = { host: '127.0.0.1', port: server.address().port };
    const { service, revision } = spec;
    const instance = {
      id,
      service,
      revision,
      spec: this.specHash(spec),
      state: 'running',
      endpoint,
      exit: undefined,
    };
    this.#instances.set(id, { instance, server });
    return instance;
  }

  async pause() {
    throw new Error('it cannot');
  }

  async resume() {
    throw new Error('it cannot');
  }

  async stop(id) {
    const { server } = this.#instances.get(id) ?? {};
    this.#instances.delete(id);
    server?.close();
    server?.closeAllConnections();
  }

  async inspect(id) {
    return this.#instances.get(id)?.instance;
  }

  async list() {
    return [...this.#instances.values()].map(({ instance }) => instance);
  }

  async logs() {
    return [];
  }

  async *followLogs() {}

  async *watch(signal) {
    yield { type: 'connected' };
    if (!signal.aborted) await once(signal, 'abort');
  }

  async close() {}
}
