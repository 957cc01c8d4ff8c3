import { type Activator, QuotaGiver } from '@cless/activator';
import type { Clock, Revision } from '@cless/model';
import type { Snapshot } from '../observe/meters.ts';
import type { ServiceSource } from '../services/source.ts';
import { type Call, Channel, type Port } from './channel.ts';
import { finite, fromSentUse, type PrimaryMethods, type SentLease, type WorkerMethods } from './protocol.ts';

/** What a link needs to serve its worker. */
export interface LinkOptions {
  readonly activator: Pick<Activator<Revision>, 'lease' | 'instance'>;
  readonly source: Pick<ServiceSource, 'revision'>;
  /** Finds services that workers cannot look up themselves. Undefined means that there are none. */
  readonly convention: Pick<ServiceSource, 'resolve'> | undefined;
  readonly clock: Clock;
}

/** The process of a worker. */
export interface WorkerProcess extends Port {
  readonly pid: number | undefined;
  /** Resolves with how it ended. An `error` says why it could not be started. */
  readonly ended: {
    readonly exitCode?: number | null;
    readonly signal?: string | null;
    readonly error?: Error;
  };
  kill(): void;
}

/** How long a worker may take to answer before it is considered stuck and killed, in milliseconds. */
const PATIENCE_MS = 30_000;

/** In the primary: one worker and its quotas. */
export class WorkerLink {
  readonly process: WorkerProcess;
  readonly #options: LinkOptions;
  readonly #channel: Channel<WorkerMethods, PrimaryMethods>;
  readonly #quotas: QuotaGiver<Revision>;
  /** Its counters when they were last read. */
  lastSnapshot: Snapshot | undefined;

  constructor(process: WorkerProcess, options: LinkOptions) {
    this.process = process;
    this.#options = options;
    this.#channel = new Channel(process, {
      lease: (argument, call) => this.#lease(argument, call),
      refill: ({ quota }, call) => call.answer(finite(this.#quotas.refill(quota))),
      returned: ({ quota, ...use }, call) => {
        this.#quotas.returned(quota, fromSentUse(use));
        call.answer();
      },
      examine: ({ instanceId }, call) => {
        const instance = options.activator.instance(instanceId);
        (instance?.examine() ?? Promise.resolve()).then(call.answer, call.fail);
      },
      resolve: ({ service }, call) => {
        const { convention } = options;
        (convention?.resolve(service) ?? Promise.resolve(undefined)).then(
          (served) => call.answer(served?.revisions[0] ?? null),
          call.fail,
        );
      },
    });
    this.#quotas = new QuotaGiver(async (quota) => fromSentUse(await this.ask('revoke', { quota })));
    // The channel has cancelled its waiting calls already.
    process.onClosed(() => this.#quotas.close());
  }

  /**
   * Calls the worker, and kills it if it does not answer.
   *
   * @throws with code `CHANNEL_CLOSED`, if it is gone
   */
  async ask<M extends keyof WorkerMethods>(
    method: M,
    argument: Parameters<WorkerMethods[M]>[0],
    patienceMs = PATIENCE_MS,
  ): Promise<ReturnType<WorkerMethods[M]>> {
    const patience = this.#options.clock.after(patienceMs, () => this.process.kill());
    try {
      return await this.#channel.call(method, argument);
    } finally {
      patience.cancel();
    }
  }

  // Private

  #lease({ revision, keepsAwake }: { revision: Revision; keepsAwake: boolean }, call: Call<SentLease>): void {
    const { activator, source } = this.#options;
    // Look the revision up here too, since it is here that it will be retired.
    source.revision(revision.service, revision.id).catch(() => {});
    activator.lease(revision, call.signal, keepsAwake).then((lease) => {
      if (call.signal.aborted) {
        lease.release();
        call.fail(call.signal.reason);
        return;
      }
      this.#quotas.give(lease, (given) => call.answer({ ...given, size: finite(given.size) }));
    }, call.fail);
  }
}
