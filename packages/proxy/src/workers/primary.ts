import type { AddressInfo } from 'node:net';
import { messageOf } from '@cless/model';
import type { Logger } from 'pino';
import type { Address } from '../edge/address.ts';
import type { Edge } from '../edge/edge.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { type Snapshot, sum } from '../observe/meters.ts';
import { type LinkOptions, WorkerLink, type WorkerProcess } from './link.ts';
import type { InstanceUse } from './protocol.ts';

export interface WorkersOptions extends LinkOptions {
  readonly count: number;
  readonly fork: () => WorkerProcess;
  /** Checks that the address is free, since workers would share it with whoever has it, and picks a port for port 0. */
  readonly reserve: (where: Address) => Promise<Address>;
  readonly log: Logger;
}

const FIRST_RESPAWN_MS = 100;
const LONGEST_RESPAWN_MS = 5_000;
/** A worker that lived this long did not die of its start, so its place's back-off begins anew. In milliseconds. */
const GROWN_UP_MS = 2_000;
/** How long a worker may take on top of the drain timeout before it is killed, in milliseconds. */
const DRAIN_PATIENCE_MS = 500;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/**
 * How long a worker may fail to apply a change before it is replaced by one that reads everything anew, in
 * milliseconds.
 */
const CHANGE_PATIENCE_MS = 30_000;

/** The place of one worker. */
interface Slot {
  respawnMs: number;
}

/** Several processes that accept requests on one port. One that dies is replaced. */
export class Workers implements Edge, Pick<Forwarder, 'close' | 'destroy'> {
  readonly #options: WorkersOptions;
  readonly #links = new Set<WorkerLink>();
  #where: Address = { host: '', port: 0 };
  #closing = false;
  /** The counters of workers that are gone. */
  #past: Snapshot = { services: [], problems: [], residentBytes: 0 };
  #changes = Promise.resolve();

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  async listen(where: Address): Promise<AddressInfo> {
    this.#where = await this.#options.reserve(where);
    try {
      const [address] = await Promise.all(
        Array.from({ length: this.#options.count }, () =>
          this.#spawn({ respawnMs: FIRST_RESPAWN_MS }, this.#options.fork()),
        ),
      );
      if (address === undefined) throw new Error('there are no workers');
      return address;
    } catch (error) {
      this.#closing = true;
      for (const link of this.#links) link.process.kill();
      throw error;
    }
  }

  /** Includes the last known counters of workers that are gone. */
  async read(): Promise<Snapshot> {
    await this.#each(async (link) => {
      link.lastSnapshot = await link.ask('read', {});
    });
    const snapshots = [...this.#links].flatMap(({ lastSnapshot }) => lastSnapshot ?? []);
    const own = { services: [], problems: [], residentBytes: process.memoryUsage.rss() };
    return sum([own, this.#past, ...snapshots]);
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#closing = true;
    await this.#each(async (link) => {
      link.lastSnapshot = await link.ask('drain', { timeoutMs }, timeoutMs + DRAIN_PATIENCE_MS);
      link.process.kill();
    });
  }

  async close(instanceId: string): Promise<void> {
    await this.#each((link) => link.ask('close', { instanceId }));
  }

  destroy(instanceId: string, reason: Error): void {
    void this.#each((link) => link.ask('destroy', { instanceId, reason: reason.message }));
  }

  /** Call when a service has changed. Resolves when no worker uses the previous state. */
  changed(service: string): Promise<void> {
    const told = this.#each((link) => this.#tellChange(link, service));
    const before = this.#changes;
    this.#changes = told.then(() => before);
    return told;
  }

  /** Resolves when all workers know all changes until now. */
  async applied(): Promise<void> {
    await this.#changes;
  }

  /** How workers use instances, by id. */
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

  /** Calls each worker; ignores those that are gone. */
  async #each(ask: (link: WorkerLink) => Promise<unknown>): Promise<void> {
    await Promise.all([...this.#links].map((link) => ask(link).catch(() => {})));
  }

  /** Tries until the worker has applied the change or is gone; otherwise it would use the previous state for ever. */
  async #tellChange(link: WorkerLink, service: string): Promise<void> {
    const { clock, log } = this.#options;
    const deadline = clock.now() + CHANGE_PATIENCE_MS;
    for (
      let retryMs = FIRST_RETRY_MS;
      this.#links.has(link);
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)
    ) {
      try {
        await link.ask('changed', { service });
        return;
      } catch (error) {
        if (!this.#links.has(link)) return;
        const about = { worker: link.process.pid, service };
        if (clock.now() >= deadline) {
          log.error(about, `a worker cannot take in a change, and is replaced: ${messageOf(error)}`);
          link.process.kill();
          return;
        }
        log.warn(about, `a worker could not take in a change, and is told again: ${messageOf(error)}`);
        await new Promise<void>((resolve) => clock.after(retryMs, resolve));
      }
    }
  }

  async #spawn(slot: Slot, child: WorkerProcess): Promise<AddressInfo> {
    const { clock } = this.#options;
    const link = new WorkerLink(child, this.#options);
    let listeningMs = Number.POSITIVE_INFINITY;
    this.#links.add(link);
    link.process.onClosed(() => {
      if (clock.now() - listeningMs > GROWN_UP_MS) slot.respawnMs = FIRST_RESPAWN_MS;
      this.#lost(link, slot);
    });
    try {
      const address = await link.ask('listen', this.#where);
      listeningMs = clock.now();
      return address;
    } catch (error) {
      link.process.kill(); // its end starts another one
      throw link.process.ended.error ?? error;
    }
  }

  #lost(link: WorkerLink, slot: Slot): void {
    const { pid, ended } = link.process;
    this.#links.delete(link);
    const { lastSnapshot } = link;
    if (lastSnapshot !== undefined) {
      const services = lastSnapshot.services.map(([service, , answered]) => [service, 0, answered] as const);
      this.#past = sum([this.#past, { ...lastSnapshot, services, residentBytes: 0 }]);
    }
    if (this.#closing) return;
    const { exitCode, signal, error } = ended;
    const reason = error === undefined ? '' : ` (${messageOf(error)})`;
    this.#options.log.error(
      { worker: pid, exitCode, signal },
      `a worker is gone${reason}; another one takes its place`,
    );
    this.#replaceLater(slot);
  }

  #replaceLater(slot: Slot): void {
    this.#options.clock.after(slot.respawnMs, () => void this.#replace(slot));
    slot.respawnMs = Math.min(slot.respawnMs * 2, LONGEST_RESPAWN_MS);
  }

  async #replace(slot: Slot): Promise<void> {
    if (this.#closing) return;
    const { fork, log } = this.#options;
    let child: WorkerProcess | undefined;
    try {
      child = fork();
      await this.#spawn(slot, child);
      log.info('a worker has been replaced');
    } catch (error) {
      log.error(`a worker could not be replaced: ${messageOf(error)}`);
      if (child === undefined) this.#replaceLater(slot); // otherwise its end does that
    }
  }
}
