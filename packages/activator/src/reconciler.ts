import type { Clock } from '@cless/model';
import type { VolumeClaims } from './admission/volume-claims.ts';
import type { InstanceEvent } from './event.ts';
import type { Instance } from './instance/instance.ts';
import type { Pools } from './pools.ts';
import { keyOf, type Revision, type Revisions } from './revision.ts';
import { type Comparison, Rounds } from './rounds.ts';
import type { Runtime, RuntimeEvent, RuntimeInstance } from './runtime.ts';

export interface ReconcilerOptions<R extends Revision = Revision> {
  readonly runtime: Runtime<R['spec']>;
  readonly revisions: Revisions<R>;
  readonly clock: Clock;
  readonly pools: Pools<R>;
  readonly claims: VolumeClaims<R>;
  readonly closing: AbortSignal;
  readonly listener: ReconcilerListener;
}

/** Told about what a reconciler finds. */
interface ReconcilerListener {
  connected(): void;
  lost(error: Error): void;
  /** Called after each comparison: with undefined if it is known what runs, else with the error. */
  compared(error: unknown): void;
  /** Reports an event of an unknown instance. */
  tell(event: InstanceEvent, found: RuntimeInstance): void;
}

/**
 * Keeps what is believed equal to what runs. The runtime is the record: its events are hints, and after each gap in
 * them, everything is compared with its list.
 */
export class Reconciler<R extends Revision = Revision> {
  readonly #options: ReconcilerOptions<R>;
  readonly #rounds: Rounds;

  constructor(options: ReconcilerOptions<R>) {
    this.#options = options;
    const { clock, pools, listener } = options;
    this.#rounds = new Rounds({
      clock,
      compare: () => this.#compare(),
      isWorthwhile: () => pools.byId.size > 0,
      compared: (error) => listener.compared(error),
    });
  }

  /** Follows the runtime's events until `close`. */
  async run(): Promise<void> {
    const { runtime, closing } = this.#options;
    for await (const event of runtime.watch(closing)) this.#handle(event);
  }

  /** Schedules the next comparison without a reason. */
  later(): void {
    this.#rounds.later();
  }

  /** Called when a call was not answered, so that what it asked for may have happened or may still happen. */
  doubt(): void {
    this.#rounds.doubt();
  }

  /** Starts no more comparisons. Resolves when none is running. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  // Private

  #handle(event: RuntimeEvent): void {
    const { pools, revisions, listener } = this.#options;
    switch (event.type) {
      case 'connected':
        listener.connected();
        revisions.refresh?.();
        this.#rounds.atOnce();
        return;
      case 'disconnected':
        listener.lost(event.error);
        revisions.refresh?.(); // changes may have been missed while there were no events
        return;
      case 'images-changed':
        revisions.refresh?.();
        return;
      case 'exited':
        pools.instance(event.id)?.exited(event);
        return;
      case 'removed':
        pools.instance(event.id)?.vanished();
        return;
      case 'oom':
        pools.instance(event.id)?.ranOutOfMemory();
        return;
      case 'paused':
      case 'resumed': {
        const instance = pools.instance(event.id);
        // Usually the echo of our own call. Otherwise ask, since it may have changed again by now.
        const expected = event.type === 'paused' ? ['ready', 'starting'] : ['paused'];
        if (instance !== undefined && expected.includes(instance.state)) void instance.examine();
        return;
      }
    }
  }

  /**
   * Compares the runtime's list with the known instances and asks about each difference; adopts or removes unknown
   * ones. A list may be outdated when it is read, so alone it never ends an instance.
   */
  async #compare(): Promise<Comparison> {
    const { runtime, pools, claims, closing } = this.#options;
    const before = new Map([...pools.byId].map(([id, instance]) => [id, instance.state]));
    const listed = await runtime.list();
    if (closing.aborted) return { listed: 0, isDone: true };

    const found = new Map(listed.map((one) => [one.id, one]));
    for (const [service, id] of claims.leftovers()) if (!found.has(id)) claims.vacated(service, id);
    for (const [id, state] of before) {
      const instance = pools.instance(id);
      if (instance?.state === state && differs(instance, found.get(id))) void instance.examine();
    }
    // An instance being launched may be listed before we know its id; it is looked at again after its start.
    const launching = new Set<string>();
    for (const instance of pools.instances()) if (instance.launching) launching.add(keyOf(instance.revision));
    // An instance that was known before and no longer is has gone while the list was made.
    const unknown = listed.filter(({ id }) => pools.instance(id) === undefined && !before.has(id));
    const theirs = unknown.filter(
      ({ service, revision }) => !launching.has(keyOf({ service, id: revision })),
    );
    const settled = await Promise.allSettled(theirs.map((one) => this.#adoptOrRemove(one)));
    const isDone = theirs.length === unknown.length && settled.every(({ status }) => status === 'fulfilled');
    return { listed: listed.length, isDone };
  }

  async #adoptOrRemove(found: RuntimeInstance): Promise<void> {
    const { runtime, revisions, pools, closing } = this.#options;
    const revision = await revisions.revision(found.service, found.revision);
    if (closing.aborted || pools.instance(found.id) !== undefined) return;
    const matches = revision !== undefined && runtime.specHash(revision.spec) === found.spec;
    if (!matches || !pools.of(revision).adopt(found)) this.#remove(found);
  }

  /** In the background, since nobody has to wait for its grace period. */
  #remove(found: RuntimeInstance): void {
    const { runtime, claims, clock, listener } = this.#options;
    const { service, id } = found;
    const beganMs = clock.now();
    listener.tell({ type: 'stopping', reason: 'not-ours' }, found);
    if (found.state !== 'exited') claims.leftover(service, id);
    runtime.stop(id).then(
      () => {
        listener.tell({ type: 'stopped', reason: 'not-ours', durationMs: clock.now() - beganMs }, found);
        claims.vacated(service, id);
      },
      (error: unknown) => {
        listener.tell({ type: 'stop-failed', error }, found);
        this.#rounds.soon();
      },
    );
  }
}

/** Does an instance differ from the runtime's list, or might it? */
function differs(
  { state, endpoint }: Pick<Instance, 'state' | 'endpoint'>,
  found: RuntimeInstance | undefined,
): boolean {
  if (found === undefined || found.state === 'exited') return state !== 'pausing' && state !== 'resuming';
  switch (state) {
    case 'ready':
      return (
        found.state === 'paused' ||
        found.endpoint?.host !== endpoint?.host ||
        found.endpoint?.port !== endpoint?.port
      );
    case 'paused':
      return found.state === 'running';
    case 'starting':
      return found.state === 'paused';
    case 'pausing':
    case 'resuming':
    case 'stopping':
    case 'gone':
      return false;
  }
}
