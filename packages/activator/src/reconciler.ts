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

/** Who hears what a reconciler finds. */
interface ReconcilerListener {
  connected(): void;
  lost(error: Error): void;
  /** It is known what runs; or with an error, it is not. */
  compared(error: unknown): void;
  /** Of what is nobody's. */
  tell(event: InstanceEvent, found: RuntimeInstance): void;
}

/**
 * The runtime is the record of what runs: its events are hints, and after each gap in them everything is compared with what it
 * lists.
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

  /** Follows the runtime until it closes. */
  async run(): Promise<void> {
    const { runtime, closing } = this.#options;
    for await (const event of runtime.watch(closing)) this.#handle(event);
  }

  /** There is something to compare, now and then. */
  later(): void {
    this.#rounds.later();
  }

  /** A call was not answered: what it asked for may have happened, or happen yet. */
  doubt(): void {
    this.#rounds.doubt();
  }

  /** Compares no more; resolves when no comparison is under way. */
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
        revisions.refresh?.(); // what changes from here on is not told
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
        // Mostly the echo of our own call. Else ask: by now it may be otherwise again.
        const expected = event.type === 'paused' ? ['ready', 'starting'] : ['paused'];
        if (instance !== undefined && expected.includes(instance.state)) void instance.examine();
        return;
      }
    }
  }

  /**
   * Compares what the runtime lists with what is known, and asks about each difference; adopts or removes what is not known.
   * A list is old when it is read: by itself it ends nothing.
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
    // One that is being launched may be listed before its start tells us its id: looked at again when that has come back.
    const launching = new Set<string>();
    for (const instance of pools.instances()) if (instance.launching) launching.add(keyOf(instance.revision));
    // What was known before and is not any more went while the list was made.
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

  /** In the background: nobody has to wait for its grace period. */
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

/** Is an instance otherwise than the runtime lists it, or may be? */
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
