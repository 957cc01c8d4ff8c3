import type { ActivatorEvent, InstanceEvent, StopReason } from './activator-event.ts';
import type { Clock, Timer } from './clock.ts';
import type { Endpoint, Forwarder, ReadinessProbe, Revision, Runtime, RuntimeInstance } from './contracts.ts';
import { codeOf, InstanceExitedError, ShuttingDownError } from './errors.ts';
import { Grant, type Granting } from './grant.ts';
import { canBecome, type InstanceState } from './instance-state.ts';
import { type Activation, Lease } from './lease.ts';
import { conceal } from './secrets.ts';
import { Usage } from './usage.ts';

/** What an instance needs of the world. */
export interface InstanceSurroundings {
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly clock: Clock;
  readonly connections: Pick<Forwarder, 'close' | 'destroy'>;
  readonly closing: boolean;
  emit(event: ActivatorEvent): void;
  /** The runtime has given the instance its id. */
  identified(id: string, instance: Instance): void;
  /** The instance is no more. */
  gone(instance: Instance): void;
  /** Something may have been left behind, or a call failed: what is really there should be looked at soon. */
  doubt(): void;
}

/** How long to rest before an instance that is in use, and paused, is woken again after a runtime that did not answer. */
const RESUME_REST_MS = 1_000;
const FIRST_STOP_RETRY_MS = 1_000;
const LONGEST_STOP_RETRY_MS = 30_000;

/** One running copy of a revision: its state, its leases, its idle clock, and the calls that change them. */
export class Instance implements Granting {
  readonly revision: Revision;
  readonly #world: InstanceSurroundings;
  /** Called after each change of the state, and when the last lease ends. */
  readonly #changed: (instance: Instance) => void;
  /** Aborted when the instance is to start no more: it died, or is stopped. */
  readonly #ended = new AbortController();

  #state: InstanceState = 'starting';
  #id: string | undefined;
  #endpoint: Endpoint | undefined;
  /** By leases that were given out here; who holds a grant may use it, too. */
  readonly #usage: Usage;
  readonly #grants = new Set<Grant>();
  #dismissed: StopReason | undefined;
  #idleTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #restTimer: Timer | undefined;
  #examination: Promise<void> | undefined;
  #stopReason: StopReason | undefined;
  readonly #identification = Promise.withResolvers<void>();

  constructor(revision: Revision, world: InstanceSurroundings, changed: (instance: Instance) => void) {
    this.revision = revision;
    this.#world = world;
    this.#changed = changed;
    this.#usage = new Usage(world.clock);
  }

  get state(): InstanceState {
    return this.#state;
  }

  get id(): string | undefined {
    return this.#id;
  }

  /** Resolves when its id is known, or will never be. */
  get identification(): Promise<void> {
    return this.#identification.promise;
  }

  /** Open leases that were given out here, and not by who holds a grant. */
  get leases(): number {
    return this.#usage.leases;
  }

  /** Is it in use, as far as is known? Of a grant that is known when it has been revoked. */
  get inUse(): boolean {
    if (this.leases > 0) return true;
    for (const { isDraining } of this.#grants) if (isDraining) return true;
    return false;
  }

  get idleSinceMs(): number {
    return this.#usage.idleSinceMs;
  }

  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** May a lease be given out? */
  get available(): boolean {
    return this.#state === 'ready' && this.#examination === undefined && this.#dismissed === undefined;
  }

  /** Why it is to go as soon as it is not in use, whoever waits. */
  get dismissed(): StopReason | undefined {
    return this.#dismissed;
  }

  /** Will it serve no more? */
  get leaving(): boolean {
    return this.#dismissed !== undefined || this.#state === 'stopping' || this.#state === 'gone';
  }

  /** Was it paused by hand while it is in use, so that it is to be woken? */
  get interrupted(): boolean {
    return this.#state === 'paused' && this.inUse && this.#restTimer === undefined;
  }

  /** Is it neither in use nor on its way? */
  get idle(): boolean {
    return this.#settled && this.leases === 0 && this.#grants.size === 0;
  }

  /** Would it be idle, if those that hold grants do not use it? */
  get maybeIdle(): boolean {
    return this.#settled && this.#grants.size > 0 && !this.inUse;
  }

  /**
   * Gives out a lease; only while `available`.
   *
   * @param keepsAwake does its end start the idle clock anew?
   */
  lease(activation?: Activation, keepsAwake = true): Lease<Instance> {
    if (!this.available || this.#id === undefined || this.#endpoint === undefined) {
      throw new Error(`no lease on an instance that is ${this.#state}`);
    }
    this.#usage.begin(keepsAwake);
    return new Lease(this, this.#id, this.#endpoint, activation, keepsAwake);
  }

  /** A lease has ended. */
  released(keptAwake: boolean): void {
    this.#usage.end(keptAwake);
    if (this.inUse) return;
    this.#armIdleTimer();
    this.#changed(this);
  }

  /**
   * Lets somebody give out leases by himself until that is revoked; to be called while a lease is held. If no lease can be
   * given out just now, the grant is good for those that were promised one, and drains.
   *
   * @param tell how it is revoked
   */
  grant(tell: (grant: Grant) => void): Grant {
    const grant = new Grant(this, tell);
    this.#grants.add(grant);
    if (!this.available) grant.draining();
    return grant;
  }

  /** Whoever holds a grant gives out no more leases by it, and tells how much it is in use. */
  revokeGrants(): void {
    for (const grant of this.#grants) grant.revoke();
  }

  grantDraining(): void {
    this.#changed(this);
  }

  grantEnded(grant: Grant, idleMs: number): void {
    this.#grants.delete(grant);
    this.#usage.touch(idleMs);
    if (this.inUse) return;
    this.#armIdleTimer();
    this.#changed(this);
  }

  /** Starts it and waits until it is ready. Rejects with the reason if it cannot be: then `discard` it. */
  async start(): Promise<void> {
    const { runtime, clock } = this.#world;
    const beganMs = clock.now();
    const { hardening, relaxations = [] } = this.revision.spec;
    const given = hardening === 'off' ? ['off', ...relaxations] : relaxations;
    this.#emit({ type: 'starting', ...(given.length > 0 && { relaxations: given }) });
    const started = await runtime.start(this.revision.spec, {
      onCreated: (id) => {
        this.#identify(id);
        this.#emit({ type: 'created', durationMs: clock.now() - beganMs });
      },
    });
    this.#identify(started.id);
    this.#emit({ type: 'started', durationMs: clock.now() - beganMs });
    await this.#becomeReady(started, beganMs);
  }

  /** Takes over an instance that runs already. Rejects if it does not get ready: then `discard` it. */
  async adopt(found: RuntimeInstance): Promise<void> {
    this.#identify(found.id);
    this.#emit({ type: 'adopted', state: found.state === 'paused' ? 'paused' : 'running' });
    if (found.state === 'paused' && found.endpoint !== undefined) {
      this.#endpoint = found.endpoint;
      this.#become('paused');
      return;
    }
    await this.#becomeReady(found, this.#world.clock.now());
  }

  /** Its start has failed: what is left of it goes, in the background, and its story is told. */
  discard(error: unknown): void {
    if (this.#state !== 'starting') return; // abandoned meanwhile
    const id = this.#id;
    const given = (error as { lastLogLines?: readonly string[] } | undefined)?.lastLogLines;
    const { secrets = [] } = this.revision;
    const tell = (lines: readonly string[]) => {
      const lastLogLines = lines.map((line) => conceal(line, secrets));
      if (this.#stopReason === undefined) this.#emit({ type: 'start-failed', error, lastLogLines });
    };
    if (id === undefined) {
      tell(given ?? []);
      this.#world.doubt();
      this.#become('gone');
      return;
    }
    this.#become('stopping');
    void (async () => {
      tell(given ?? (await this.#world.runtime.logs(id).catch(() => [])));
      const graceMs = codeOf(error) === 'START_FAILED' ? 0 : this.revision.stopGraceMs;
      if ((await this.#remove(id, graceMs)) && !this.#isGone()) this.#become('gone');
    })();
  }

  /** Freezes it. No lease is open, none is given out any more. */
  async pause(): Promise<void> {
    const { runtime, clock, connections } = this.#world;
    const id = this.#known();
    this.#become('pausing');
    const beganMs = clock.now();
    try {
      // Whatever the app's own timers do after the resume must not meet a request on an old connection.
      await connections.close(id);
      await runtime.pause(id);
    } catch (error) {
      return this.#recover('pausing', error);
    }
    if (this.#state !== 'pausing') return;
    this.#emit({ type: 'paused', durationMs: clock.now() - beganMs, byHand: false });
    this.#become('paused');
  }

  /** Wakes it. Rejects with the runtime's reason if that fails: then `recover` it. */
  async resume(): Promise<void> {
    const { runtime, clock } = this.#world;
    const id = this.#known();
    this.#become('resuming');
    const beganMs = clock.now();
    await runtime.resume(id);
    if (this.#state !== 'resuming') return;
    this.#emit({ type: 'resumed', durationMs: clock.now() - beganMs, byHand: false });
    this.#usage.touch();
    this.#become('ready');
  }

  /** Its resume has failed: finds out how it is, and replaces one that will not wake. */
  recover(error: unknown): Promise<void> {
    return this.#recover('resuming', error);
  }

  /**
   * Stops and removes it, whatever it takes: if the runtime fails it is tried again until the instance is gone.
   * One that is starting is told so and ends by itself.
   */
  async stop(reason: StopReason): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'gone') return;
    if (this.#state === 'starting') {
      this.#stopReason ??= reason;
      this.#ended.abort(new ShuttingDownError());
      return;
    }
    const { clock, connections } = this.#world;
    const id = this.#known();
    const beganMs = clock.now();
    this.#stopReason ??= reason;
    this.#emit({ type: 'stopping', reason });
    this.#become('stopping');
    const died = reason === 'exited';
    // One that was replaced has had its time to finish.
    if (died || reason === 'replaced') connections.destroy(id, new Error('the instance is gone'));
    else await connections.close(id);

    const graceMs = died ? 0 : this.revision.stopGraceMs;
    if (!(await this.#remove(id, graceMs)) || this.#isGone()) return;
    this.#emit({ type: 'stopped', reason, durationMs: clock.now() - beganMs });
    this.#become('gone');
  }

  /** It gets no more requests, and stops when those that it has have ended. */
  dismiss(reason: StopReason = 'requested'): void {
    if (this.leaving) return;
    this.#dismissed = reason;
    this.revokeGrants();
    if (this.#state === 'starting') void this.stop(reason);
    else this.#changed(this);
  }

  /** The runtime says that it has exited. */
  exited(exit: { exitCode: number; oomKilled: boolean }): void {
    if (this.#state === 'starting') this.#ended.abort(new InstanceExitedError(this.revision.service, exit));
    else void this.stop('exited');
  }

  /** The runtime does not have it any more. */
  vanished(): void {
    if (this.#state === 'gone') return;
    if (this.#state === 'starting') {
      this.exited(NO_EXIT);
      return;
    }
    if (this.#id !== undefined) this.#world.connections.destroy(this.#id, new Error('the instance is gone'));
    this.#emit({ type: 'stopped', reason: 'vanished', durationMs: 0 });
    this.#become('gone');
  }

  /** Compares what is believed with what the runtime says; a pause or resume by hand is found so. */
  examine(): Promise<void> {
    this.#examination ??= this.#examine().finally(() => {
      this.#examination = undefined;
      this.#armIdleTimer();
      this.#changed(this);
    });
    return this.#examination;
  }

  /** The same, when a list or an event says how it is. */
  observe(actual: RuntimeInstance | undefined): void {
    if (actual === undefined) {
      this.vanished();
    } else if (actual.state === 'exited') {
      this.exited(actual.exit ?? NO_EXIT);
    } else if (actual.state === 'paused' && this.#state === 'ready') {
      this.#emit({ type: 'paused', durationMs: 0, byHand: true });
      this.#become('paused');
    } else if (actual.state === 'running' && this.#state === 'paused') {
      this.#endpoint = actual.endpoint ?? this.#endpoint;
      this.#emit({ type: 'resumed', durationMs: 0, byHand: true });
      this.#usage.touch();
      this.#become('ready');
    }
  }

  /** Lets go of it without stopping it: it is left to the next proxy. */
  abandon(): void {
    this.#idleTimer?.cancel();
    this.#retryTimer?.cancel();
    if (this.#state === 'starting') this.#ended.abort(new ShuttingDownError());
    if (this.#state !== 'gone') this.#become('gone');
  }

  // Private

  get #settled(): boolean {
    return this.#state === 'paused' || (this.#state === 'ready' && this.#examination === undefined);
  }

  #become(next: InstanceState): void {
    if (!canBecome(this.#state, next))
      throw new Error(`an instance cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    if (next !== 'ready') this.revokeGrants();
    if (next !== 'paused') {
      this.#restTimer?.cancel();
      this.#restTimer = undefined;
    }
    if (next === 'gone') {
      this.#retryTimer?.cancel();
      this.#identification.resolve();
      this.#world.gone(this);
    }
    this.#armIdleTimer();
    this.#changed(this);
  }

  #identify(id: string): void {
    if (this.#id === id) return;
    this.#id = id;
    this.#identification.resolve();
    this.#world.identified(id, this);
  }

  async #becomeReady(running: RuntimeInstance, beganMs: number): Promise<void> {
    const { probe, clock } = this.#world;
    if (running.endpoint === undefined)
      throw new InstanceExitedError(this.revision.service, running.exit ?? NO_EXIT);
    this.#endpoint = running.endpoint;
    const { attempts } = await probe(running.endpoint, {
      ...this.revision.readiness,
      signal: this.#ended.signal,
    });
    this.#ended.signal.throwIfAborted();
    this.#emit({ type: 'ready', durationMs: clock.now() - beganMs, attempts });
    this.#usage.touch();
    this.#become('ready');
  }

  /** Resolves with whether it is gone; `false` only when the proxy exits and the runtime will not. */
  async #remove(id: string, graceMs: number): Promise<boolean> {
    for (let retryMs = FIRST_STOP_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_STOP_RETRY_MS)) {
      try {
        await this.#world.runtime.stop(id, { graceMs });
        return true;
      } catch (error) {
        if (this.#isGone()) return true;
        this.#emit({ type: 'stop-failed', error });
        if (this.#world.closing) {
          this.#become('gone');
          return false;
        }
      }
      await new Promise<void>((resolve) => {
        const timer = this.#world.clock.after(retryMs, resolve);
        this.#retryTimer = {
          cancel: () => {
            timer.cancel();
            resolve();
          },
        };
      });
      if (this.#isGone()) return true;
    }
  }

  async #recover(during: 'pausing' | 'resuming', error: unknown): Promise<void> {
    if (this.#state !== during) return;
    this.#emit({ type: during === 'pausing' ? 'pause-failed' : 'resume-failed', error });
    const actual = await this.#world.runtime.inspect(this.#known()).catch(() => 'unknown' as const);
    if (this.#state !== during) return;
    this.#usage.touch(); // not at once again
    if (actual === 'unknown') {
      this.#world.doubt();
      if (during === 'resuming') this.#rest();
      this.#become(during === 'pausing' ? 'ready' : 'paused');
    } else if (actual === undefined || actual.state === 'exited') {
      this.observe(actual);
    } else if (actual.state === 'running') {
      this.#become('ready');
    } else if (during === 'pausing') {
      this.#become('paused');
    } else {
      void this.stop('exited'); // it will not wake
    }
  }

  #rest(): void {
    this.#restTimer = this.#world.clock.after(RESUME_REST_MS, () => {
      this.#restTimer = undefined;
      this.#changed(this);
    });
  }

  async #examine(): Promise<void> {
    const before = this.#state;
    const actual = await this.#world.runtime.inspect(this.#known()).catch(() => 'unknown' as const);
    if (actual === 'unknown') this.#world.doubt();
    else if (this.#state === before) this.observe(actual); // else a call of our own knows better
  }

  #armIdleTimer(): void {
    if (this.#idleTimer !== undefined || this.inUse || this.#world.closing) return;
    const dueMs = this.#nextIdleStepMs();
    if (dueMs === undefined) return;
    this.#idleTimer = this.#world.clock.after(Math.max(0, dueMs - this.#usage.idleMs), () => {
      this.#idleTimer = undefined;
      this.#whenIdle();
    });
  }

  /** After how much idleness something is to be done. One timer serves many leases: it looks again when it fires. */
  #nextIdleStepMs(): number | undefined {
    const { pauseAfterMs, stopAfterMs } = this.revision.idle;
    switch (this.#state) {
      case 'ready':
        return this.#pausesFirst() ? pauseAfterMs : stopAfterMs;
      case 'paused':
        return stopAfterMs;
      default:
        return undefined;
    }
  }

  #pausesFirst(): boolean {
    const { pauseAfterMs, stopAfterMs } = this.revision.idle;
    if (!this.#world.runtime.capabilities.pause || pauseAfterMs === undefined) return false;
    return stopAfterMs === undefined || pauseAfterMs < stopAfterMs;
  }

  #whenIdle(): void {
    // The end of the last lease, of the examination, or of a grant arms the timer again.
    if (!this.idle && !this.maybeIdle) return;
    const { stopAfterMs } = this.revision.idle;
    const { idleMs } = this.#usage;
    const dueMs = this.#nextIdleStepMs();
    if (dueMs === undefined || idleMs < dueMs) this.#armIdleTimer();
    else if (this.maybeIdle) this.revokeGrants();
    else if (stopAfterMs !== undefined && idleMs >= stopAfterMs) void this.stop('idle');
    else void this.pause();
  }

  #isGone(): boolean {
    return this.#state === 'gone';
  }

  #known(): string {
    if (this.#id === undefined) throw new Error(`an instance that is ${this.#state} has no id`);
    return this.#id;
  }

  #emit(event: InstanceEvent): void {
    const { service, id } = this.revision;
    this.#world.emit({ ...event, service, revision: id, instance: this.#id });
  }
}

const NO_EXIT = { exitCode: -1, oomKilled: false };
