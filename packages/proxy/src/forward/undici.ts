import type { Endpoint } from '@cless/model';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import type {
  ForwardedRequest,
  ForwardedUpgrade,
  Forwarder,
  Forwarding,
  Settled,
  Target,
} from './forwarder.ts';
import { InstanceSocket } from './instance-socket.ts';
import { UndiciAnswer, type UndiciConnection, type UndiciConnections } from './undici-answer.ts';
import { Upgrades } from './upgrades.ts';

export interface ForwarderOptions {
  /** How long an instance may take to send the head of its answer, in milliseconds. */
  readonly responseTimeoutMs: number;
}

/** Forwards over undici's dispatcher; upgrades over node:http. */
export class UndiciForwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #connections = new Map<string, InstanceConnections>();
  readonly #upgrades = new Upgrades();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  forward(request: ForwardedRequest, settled: Settled): Forwarding {
    const { target, sentOn } = request;
    if (sentOn !== undefined) return this.#resume(request, settled, sentOn);
    let connections = this.#connections.get(target.instanceId);
    if (connections === undefined) {
      connections = new InstanceConnections(target, this.#options);
      this.#connections.set(target.instanceId, connections);
    }
    return connections.send(request, settled);
  }

  upgrade(upgrade: ForwardedUpgrade): Promise<number> {
    const { responseTimeoutMs = this.#options.responseTimeoutMs } = upgrade.target;
    return this.#upgrades.forward(upgrade, responseTimeoutMs);
  }

  async close(instanceId: string): Promise<void> {
    await this.#take(instanceId)?.close();
  }

  destroy(instanceId: string, reason: Error): void {
    this.#upgrades.destroy(instanceId);
    this.#take(instanceId)?.destroy(reason);
  }

  // Private

  /** Reads the answer to a request that has been sent, on a connection that ends with it. */
  #resume(request: ForwardedRequest, settled: Settled, socket: InstanceSocket): Forwarding {
    const { target, method, path, headers, body = null } = request;
    const { responseTimeoutMs = this.#options.responseTimeoutMs } = target;
    const client = openClient(target.endpoint, responseTimeoutMs, (callback) =>
      process.nextTick(callback, null, socket),
    );
    const end = () => {
      client.destroy().catch(() => {});
    };
    const connection = { client, socket, used: false };
    const answer = new UndiciAnswer(request, settled, connection, {
      responseTimeoutMs,
      free: end,
      discard: end,
    });
    client.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, answer);
    return answer;
  }

  #take(instanceId: string): InstanceConnections | undefined {
    const connections = this.#connections.get(instanceId);
    this.#connections.delete(instanceId);
    return connections;
  }
}

/**
 * The connections to one instance. undici's Pool does not say whether a request went over a fresh or a reused
 * connection, and what may be retried depends on it.
 */
class InstanceConnections implements UndiciConnections {
  readonly #endpoint: Endpoint;
  readonly responseTimeoutMs: number;
  readonly #all = new Set<UndiciConnection>();
  /** Last in, first out, so that surplus connections run into their keep-alive timeout. */
  readonly #free: UndiciConnection[] = [];

  constructor({ endpoint, responseTimeoutMs }: Target, options: ForwarderOptions) {
    this.#endpoint = endpoint;
    this.responseTimeoutMs = responseTimeoutMs ?? options.responseTimeoutMs;
  }

  send(request: ForwardedRequest, settled: Settled): Forwarding {
    const connection = this.#free.pop() ?? this.#open();
    const { method, path, headers, body = null } = request;
    const answer = new UndiciAnswer(request, settled, connection, this);
    connection.client.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, answer);
    return answer;
  }

  free(connection: UndiciConnection): void {
    this.#free.push(connection);
  }

  discard(connection: UndiciConnection): void {
    this.#all.delete(connection);
    connection.client.destroy().catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.close()));
  }

  destroy(reason: Error): void {
    for (const { client } of this.#all) client.destroy(reason).catch(() => {});
  }

  // Private

  #open(): UndiciConnection {
    const client = openClient(this.#endpoint, this.responseTimeoutMs, (callback) => {
      InstanceSocket.connect(this.#endpoint, (error, socket) => {
        if (error !== undefined) return callback(error, null);
        connection.socket = socket;
        callback(null, socket);
      });
    });
    const connection: UndiciConnection = { client, socket: undefined, used: false };
    client.on('disconnect', () => {
      connection.used = false;
      // Removed also if it ends while free; otherwise there would be thousands after a burst.
      const at = this.#free.lastIndexOf(connection);
      if (at === -1) return;
      this.#free.splice(at, 1);
      this.discard(connection);
    });
    this.#all.add(connection);
    return connection;
  }
}

/** A client of one connection, which it sends one request at a time on. */
function openClient(
  { host, port }: Endpoint,
  responseTimeoutMs: number,
  connect: (callback: buildConnector.Callback) => void,
): Client {
  return new Client(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
    connect: (_, callback) => connect(callback),
    headersTimeout: responseTimeoutMs,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  });
}
