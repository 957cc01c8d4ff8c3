import type { Activator, Grant, Instance, Lease } from '@cless/activator';
import type { Clock, Revision } from '@cless/model';
import type { Snapshot } from '../observe/meters.ts';
import type { ServiceSource } from '../services/source.ts';
import { type Call, Channel, type Port } from './channel.ts';
import type { GrantedLease, PrimaryMethods, WorkerMethods } from './protocol.ts';

/** What a worker may ask for. */
export interface LinkSurroundings {
  readonly activator: Pick<Activator, 'lease' | 'instance'>;
  readonly source: Pick<ServiceSource, 'revision'>;
  /** Where services are that workers cannot look up themselves. Undefined means that there are none. */
  readonly convention: Pick<ServiceSource, 'resolve'> | undefined;
  readonly clock: Clock;
}

/** A process that can be ended. */
export interface WorkerProcess extends Port {
  readonly pid: number | undefined;
  /** How it ended, once it has. An `error` says why it never began. */
  readonly ended: {
    readonly exitCode?: number | null;
    readonly signal?: string | null;
    readonly error?: Error;
  };
  kill(): void;
}

/** How long a worker may take for an answer before it is taken for stuck, and ended. In milliseconds. */
const PATIENCE_MS = 30_000;

/** In the primary: one worker, and the grants that it has. */
export class WorkerLink {
  readonly process: WorkerProcess;
  readonly #surroundings: LinkSurroundings;
  readonly #channel: Channel<WorkerMethods, PrimaryMethods>;
  readonly #grants = new Map<number, { readonly grant: Grant; readonly instance: Instance }>();
  /** What it had counted when it was last asked. */
  lastSnapshot: Snapshot | undefined;

  constructor(process: WorkerProcess, surroundings: LinkSurroundings) {
    this.process = process;
    this.#surroundings = surroundings;
    this.#channel = new Channel(process, {
      lease: (argument, call) => this.#lease(argument, call),
      returned: ({ grant, idleMs }, call) => {
        this.#end(grant, idleMs);
        call.answer();
      },
      examine: ({ instanceId }, call) => {
        const instance = surroundings.activator.instance(instanceId);
        (instance?.examine() ?? Promise.resolve()).then(call.answer, call.fail);
      },
      resolve: ({ service }, call) => {
        const { convention } = surroundings;
        (convention?.resolve(service) ?? Promise.resolve(undefined)).then(
          (served) => call.answer(served?.revisions[0] ?? null),
          call.fail,
        );
      },
    });
    // Its waits have been cancelled by the channel.
    process.onClosed(() => {
      for (const id of this.#grants.keys()) this.#end(id, 0);
    });
  }

  /**
   * Asks the worker; one that does not answer is ended.
   *
   * @throws with code `CHANNEL_CLOSED`, if it is gone
   */
  async ask<M extends keyof WorkerMethods>(
    method: M,
    argument: Parameters<WorkerMethods[M]>[0],
    patienceMs = PATIENCE_MS,
  ): Promise<ReturnType<WorkerMethods[M]>> {
    const patience = this.#surroundings.clock.after(patienceMs, () => this.process.kill());
    try {
      return await this.#channel.call(method, argument);
    } finally {
      patience.cancel();
    }
  }

  // Private

  #lease(
    { revision, keepsAwake }: { revision: Revision; keepsAwake: boolean },
    call: Call<GrantedLease>,
  ): void {
    const { activator, source } = this.#surroundings;
    // What is asked for is to be known here, too: it is here that it will be retired.
    source.revision(revision.service, revision.id).catch(() => {});
    activator.lease(revision, call.signal, keepsAwake).then((lease) => {
      // At once, so that no revocation overtakes the answer.
      if (call.signal.aborted) call.fail(call.signal.reason);
      else call.answer(this.#grant(lease));
      lease.release();
    }, call.fail);
  }

  #grant({ instance, instanceId, endpoint, activation }: Lease<Instance>): GrantedLease {
    for (const { grant, instance: granted } of this.#grants.values()) {
      if (granted === instance && grant.held)
        return { grant: grant.id, draining: false, instanceId, endpoint, activation };
    }
    const grant = instance.grant((revoked) => this.#revoke(revoked));
    this.#grants.set(grant.id, { grant, instance });
    return { grant: grant.id, draining: !grant.held, instanceId, endpoint, activation };
  }

  #revoke(grant: Grant): void {
    this.ask('revoke', { grant: grant.id }).then(
      ({ open, idleMs }) => {
        if (open) grant.draining();
        else this.#end(grant.id, idleMs);
      },
      () => this.#end(grant.id, 0),
    );
  }

  #end(id: number, idleMs: number | null): void {
    const { grant } = this.#grants.get(id) ?? {};
    this.#grants.delete(id);
    grant?.ended(idleMs ?? Number.POSITIVE_INFINITY);
  }
}
