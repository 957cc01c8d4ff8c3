import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Forwarder } from './contracts.ts';
import type { Entrance, Where } from './entrance.ts';
import { messageOf } from './errors.ts';
import { type Reading, sum } from './meters.ts';
import { type LinkSurroundings, WorkerLink, type WorkerProcess } from './worker-link.ts';
import type { InstanceUse } from './worker-protocol.ts';

export interface WorkersOptions extends LinkSurroundings {
  readonly count: number;
  readonly fork: () => WorkerProcess;
  /** Makes sure that the address is free, since workers would share it with whoever has it; with a port of its own for 0. */
  readonly reserve: (where: Where) => Promise<Where>;
  readonly log: Logger;
}

const FIRST_RESPAWN_MS = 100;
const LONGEST_RESPAWN_MS = 10_000;
/** Who lived so long did not die of its start. */
const GROWN_UP_MS = 10_000;
/** On top of the time for what is open. */
const DRAIN_PATIENCE_MS = 10_000;

/** Several processes that take the requests in, on one port; one that dies is replaced. */
export class Workers implements Entrance, Pick<Forwarder, 'close' | 'destroy'> {
  readonly #options: WorkersOptions;
  readonly #links = new Set<WorkerLink>();
  #where: Where = { host: '', port: 0 };
  #closing = false;
  #respawnMs = FIRST_RESPAWN_MS;
  /** What those had counted that are gone. */
  #past: Reading = { services: [], problems: [], residentBytes: 0 };
  #changes: Promise<unknown> = Promise.resolve();

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  async listen(where: Where): Promise<AddressInfo> {
    this.#where = await this.#options.reserve(where);
    try {
      const [address] = await Promise.all(Array.from({ length: this.#options.count }, () => this.#spawn()));
      if (address === undefined) throw new Error('there are no workers');
      return address;
    } catch (error) {
      this.#closing = true;
      for (const link of this.#links) link.process.kill();
      throw error;
    }
  }

  /** Of those that are gone, what they told last. */
  async read(): Promise<Reading> {
    await this.#each(async (link) => {
      link.lastReading = await link.ask('read', {});
    });
    const readings = [...this.#links].flatMap(({ lastReading }) => lastReading ?? []);
    const own = { services: [], problems: [], residentBytes: process.memoryUsage.rss() };
    return sum([own, this.#past, ...readings]);
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#closing = true;
    await this.#each(async (link) => {
      link.lastReading = await link.ask('drain', { timeoutMs }, timeoutMs + DRAIN_PATIENCE_MS);
      link.process.kill();
    });
  }

  async close(instanceId: string): Promise<void> {
    await this.#each((link) => link.ask('close', { instanceId }));
  }

  destroy(instanceId: string, reason: Error): void {
    void this.#each((link) => link.ask('destroy', { instanceId, reason: reason.message }));
  }

  /** What is known of the service may be otherwise now. Resolves when no worker goes by what was before. */
  changed(service: string): Promise<void> {
    const told = this.#each((link) => link.ask('changed', { service }));
    this.#changes = Promise.all([this.#changes, told]);
    return told;
  }

  /** Resolves when all workers know of all changes until now. */
  async applied(): Promise<void> {
    await this.#changes;
  }

  /** How instances are in use, by id. */
  async use(): Promise<ReadonlyMap<string, { readonly leases: number; readonly idleMs: number }>> {
    const uses = new Map<string, { leases: number; idleMs: number }>();
    const add = ({ instanceId, leases, idleMs }: InstanceUse) => {
      const before = uses.get(instanceId) ?? { leases: 0, idleMs: Number.POSITIVE_INFINITY };
      uses.set(instanceId, {
        leases: before.leases + leases,
        idleMs: Math.min(before.idleMs, idleMs ?? before.idleMs),
      });
    };
    await this.#each(async (link) => {
      for (const use of await link.ask('use', {})) add(use);
    });
    return uses;
  }

  // Private

  /** One that is gone has nothing to say. */
  async #each(ask: (link: WorkerLink) => Promise<unknown>): Promise<void> {
    await Promise.all([...this.#links].map((link) => ask(link).catch(() => {})));
  }

  async #spawn(): Promise<AddressInfo> {
    const { fork, clock } = this.#options;
    const link = new WorkerLink(fork(), this.#options);
    const bornMs = clock.now();
    this.#links.add(link);
    link.process.onClosed(() => {
      if (clock.now() - bornMs > GROWN_UP_MS) this.#respawnMs = FIRST_RESPAWN_MS;
      this.#lost(link);
    });
    try {
      return await link.ask('listen', this.#where);
    } catch (error) {
      link.process.kill(); // and so it is tried again, if it is to be
      throw error;
    }
  }

  #lost(link: WorkerLink): void {
    const { clock, log } = this.#options;
    this.#links.delete(link);
    const { services = [], problems = [] } = link.lastReading ?? {};
    const ended = services.map(([service, , answered]) => [service, 0, answered] as const);
    this.#past = sum([this.#past, { services: ended, problems, residentBytes: 0 }]);
    if (this.#closing) return;
    log.error({ worker: link.process.pid }, 'a worker is gone; another one takes its place');
    clock.after(this.#respawnMs, () => void this.#replace());
    this.#respawnMs = Math.min(this.#respawnMs * 2, LONGEST_RESPAWN_MS);
  }

  async #replace(): Promise<void> {
    if (this.#closing) return;
    const { log } = this.#options;
    try {
      await this.#spawn();
      log.info('a worker has been replaced');
    } catch (error) {
      log.error(`a worker could not be replaced: ${messageOf(error)}`);
    }
  }
}
