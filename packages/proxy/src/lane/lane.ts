import type { Socket } from 'node:net';
import type { Connections } from '@cless/activator';
import type { Timer } from '@cless/model';
import type { Target } from '../forward/forwarder.ts';
import { AnswerHead } from './bytes/answer-head.ts';
import { RequestHead } from './bytes/request-head.ts';
import { ClientConnection } from './client-connection.ts';
import { InstancePool } from './instance-pool.ts';
import type { FullWay, LaneContext, LaneOptions, LaneParts } from './parts.ts';

/** How many fields an answer may have. */
const MAX_ANSWER_FIELDS = 1_000;
/** How often the lane looks for what has taken too long, in milliseconds. */
const SWEEP_MS = 1_000;
const SHORTEST_SWEEP_MS = 10;

/**
 * The short way for plain requests of instances that are ready: heads are read as bytes and passed on as bytes. What is not
 * as plain, or anything that the lane is not sure of, takes the full way; nobody can tell which of them a request took.
 */
export class Lane implements Connections, LaneParts {
  readonly context: LaneContext;
  readonly fullWay: FullWay;
  readonly responseTimeoutMs: number;
  readonly request: RequestHead;
  readonly answer: AnswerHead;
  readonly keepAlive: string;
  readonly #clients = new Set<ClientConnection>();
  readonly #pools = new Map<string, InstancePool>();
  readonly #sweepMs: number;
  #sweeping: Timer | undefined;
  #dateOf = 0;
  #dateText = '';

  constructor(context: LaneContext, { responseTimeoutMs }: LaneOptions, fullWay: FullWay) {
    const { limits } = context;
    this.context = context;
    this.fullWay = fullWay;
    this.responseTimeoutMs = responseTimeoutMs;
    this.request = new RequestHead(limits.maxHeaderCount);
    this.answer = new AnswerHead(MAX_ANSWER_FIELDS, () => this.#date());
    this.keepAlive = `Keep-Alive: timeout=${Math.floor(limits.keepAliveTimeoutMs / 1_000)}\r\n`;
    const { headersTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = limits;
    const shortest = Math.min(headersTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, idleTimeoutMs);
    this.#sweepMs = Math.max(SHORTEST_SWEEP_MS, Math.min(SWEEP_MS, shortest / 4));
  }

  /** Takes an accepted connection. */
  take(socket: Socket): void {
    const client = new ClientConnection(socket, this, () => this.#clients.delete(client));
    this.#clients.add(client);
    this.#sweeping ??= this.context.clock.after(this.#sweepMs, this.#sweep);
  }

  pool({ instanceId, endpoint }: Target): InstancePool {
    let pool = this.#pools.get(instanceId);
    if (pool === undefined) {
      pool = new InstancePool(endpoint);
      this.#pools.set(instanceId, pool);
    }
    return pool;
  }

  // Connections

  async close(instanceId: string): Promise<void> {
    await this.#takePool(instanceId)?.close();
  }

  destroy(instanceId: string, reason: Error): void {
    this.#takePool(instanceId)?.destroy(reason);
  }

  /** Called when the edge drains: ends what is idle. */
  drain(): void {
    for (const client of [...this.#clients]) client.drain();
  }

  /** Breaks off what is left. */
  breakOff(): void {
    for (const { socket } of this.#clients) socket.destroy();
  }

  // Private

  /** The time for `Date` (RFC 9110 §5.6.7), which is made once a second. */
  #date(): string {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#dateOf) {
      this.#dateOf = second;
      this.#dateText = new Date(second * 1_000).toUTCString();
    }
    return this.#dateText;
  }

  #takePool(instanceId: string): InstancePool | undefined {
    const pool = this.#pools.get(instanceId);
    this.#pools.delete(instanceId);
    return pool;
  }

  readonly #sweep = () => {
    this.#sweeping = undefined;
    const nowMs = this.context.clock.now();
    for (const client of this.#clients) client.sweep(nowMs);
    let isEmpty = this.#clients.size === 0;
    for (const pool of this.#pools.values()) {
      pool.sweep(nowMs);
      isEmpty &&= pool.isEmpty;
    }
    if (!isEmpty) this.#sweeping ??= this.context.clock.after(this.#sweepMs, this.#sweep);
  };
}
