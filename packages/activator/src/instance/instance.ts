import type {
  Clock,
  Endpoint,
  InspectedInstance,
  ReadinessProbe,
  Revision,
  RunningInstance,
  Runtime,
  Timer,
} from '@cless/model';
import { type Code, conceal, hasCode } from '@cless/model';
import type { Connections } from '../connections.ts';
import type { ActivatorEvent, Exit, InstanceEvent, StopReason } from '../event.ts';
import { type Activation, Lease } from '../lease.ts';
import { Grant, type Granting } from '../quota.ts';
import { IdleClock, idleStepMs } from './idle-clock.ts';
import { Launch } from './launch.ts';
import { type Look, prove } from './proof.ts';
import { Removal } from './removal.ts';
import { canBecome, type InstanceState } from './state.ts';
import { Usage } from './usage.ts';

/** What an instance needs of the world. */
export interface InstanceSurroundings {
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly closing: boolean;
  emit(event: ActivatorEvent): void;
  /** The runtime has given the instance its id, in place of one that it had before. */
  identified(id: string, instance: Instance, before: string | undefined): void;
  /** The instance is no more. */
  gone(instance: Instance): void;
  /** Something may have been left behind, or a call failed: what is really there should be looked at soon. */
  doubt(): void;
}

/** Who has an instance. */
export interface InstanceOwner {
  /** Called after each change of the state, and when the last lease ends. */
  changed(instance: Instance): void;
  /** It takes no connections, and the runtime does not say how it is. */
  unknown(instance: Instance): void;
}

/** How long to rest before an instance that is in use, and paused, is woken again after a runtime that did not answer. */
const RESUME_REST_MS = 1_000;
/** On top of its grace period; then nobody waits for the end of a removal any more. */
const REMOVAL_MS = 10_000;
/** Starts that failed so have left nothing that could be found by looking. */
const LEFT_NOTHING: readonly Code[] = ['IMAGE_NOT_FOUND', 'NO_FREE_PORT', 'ENGINE_REFUSED', 'START_FAILED'];

/** One running copy of a revision: its state, its leases, its idle clock, and the calls that change them. */
export class Instance implements Granting {
  readonly revision: Revision;
  readonly #world: InstanceSurroundings;
  readonly #owner: InstanceOwner;
  readonly #launch: Launch;

  #state: InstanceState = 'starting';
  #id: string | undefined;
  #endpoint: Endpoint | undefined;
  /** By leases that were given out here; who holds a grant may use it, too. */
  readonly #usage: Usage;
  readonly #grants = new Set<Grant>();
  #dismissed: StopReason | undefined;
  readonly #idleClock: IdleClock;
  readonly #removal: Removal;
  #overdue = false;
  #overdueTimer: Timer | undefined;
  #restTimer: Timer | undefined;
  #examination: Promise<void> | undefined;
  #examining = new AbortController();
  #stopReason: StopReason | undefined;

  constructor(revision: Revision, world: InstanceSurroundings, owner: InstanceOwner) {
    this.revision = revision;
    this.#world = world;
    this.#owner = owner;
    const { clock, runtime, probe } = world;
    this.#usage = new Usage(clock);
    const stepMs = () => idleStepMs(this.#state, revision.idle, runtime.capabilities.pause);
    this.#idleClock = new IdleClock(clock, this.#usage, stepMs, () => this.#whenIdle());
    this.#launch = new Launch({
      revision,
      runtime,
      probe,
      clock,
      emit: (event) => this.#emit(event),
      identified: (id) => this.#identify(id),
      look: () => this.examine(),
      ready: (endpoint) => {
        this.#endpoint = endpoint;
        this.#usage.touch();
        this.#become('ready');
      },
    });
    this.#removal = new Removal({
      runtime,
      clock,
      isLast: () => world.closing,
      onFailure: (error) => this.#emit({ type: 'stop-failed', error }),
    });
  }

  get state(): InstanceState {
    return this.#state;
  }

  get id(): string | undefined {
    return this.#id;
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** Is it with the runtime, which may make it under another id yet? */
  get launching(): boolean {
    return this.#state === 'starting' && !this.#launch.isMade;
  }

  /** Has its removal taken longer than it may? Then its place is somebody else's. */
  get overdue(): boolean {
    return this.#overdue;
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
    this.#owner.changed(this);
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
    this.#owner.changed(this);
  }

  grantEnded(grant: Grant, idleMs: number): void {
    this.#grants.delete(grant);
    this.#usage.touch(idleMs);
    if (this.inUse) return;
    this.#armIdleTimer();
    this.#owner.changed(this);
  }

  /** Starts it and waits until it is ready. Rejects with the reason if it cannot be: then `discard` it. */
  start(): Promise<void> {
    return this.#launch.start();
  }

  /** Takes over an instance that runs already. Rejects if it does not get ready: then `discard` it. */
  async adopt(found: RunningInstance): Promise<void> {
    this.#identify(found.id);
    this.#emit({ type: 'adopted', state: found.state === 'paused' ? 'paused' : 'running' });
    if (found.state === 'paused') {
      this.#endpoint = found.endpoint;
      this.#become('paused');
      return;
    }
    await this.#launch.adopt(found);
  }

  /** Its start has failed: what is left of it goes, in the background, and its story is told. */
  discard(error: unknown): void {
    if (this.#state !== 'starting') return; // abandoned meanwhile
    const id = this.#id;
    const given = hasCode(error, 'START_FAILED') ? error.lastLogLines : undefined;
    const { secrets = [] } = this.revision;
    const tell = (lines: readonly string[]) => {
      const lastLogLines = lines.map((line) => conceal(line, secrets));
      if (this.#stopReason === undefined) this.#emit({ type: 'start-failed', error, lastLogLines });
    };
    if (id === undefined) {
      tell(given ?? []);
      if (!hasCode(error, ...LEFT_NOTHING)) this.#world.doubt();
      this.#become('gone');
      return;
    }
    this.#become('stopping');
    void (async () => {
      tell(given ?? (await this.#world.runtime.logs(id).catch(() => [])));
      const graceMs = hasCode(error, 'START_FAILED') ? 0 : this.revision.stopGraceMs;
      await this.#removal.run(id, graceMs);
      if (!this.#isGone()) this.#become('gone');
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
  async stop(reason: StopReason, exit?: Exit): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'gone') return;
    if (this.#state === 'starting') {
      this.#stopReason ??= reason;
      this.#launch.giveUp();
      return;
    }
    const { clock, connections } = this.#world;
    const id = this.#known();
    const beganMs = clock.now();
    this.#stopReason ??= reason;
    this.#emit({ type: 'stopping', reason });
    this.#become('stopping');
    if (reason === 'exited') await this.#tellExit(id, exit);
    // One that was replaced has had its time to finish.
    if (reason === 'exited' || reason === 'unreachable' || reason === 'replaced')
      connections.destroy(id, new Error('the instance is gone'));
    else await connections.close(id);

    const isGone = await this.#removal.run(id, reason === 'exited' ? 0 : this.revision.stopGraceMs);
    if (this.#isGone()) return;
    if (isGone) this.#emit({ type: 'stopped', reason, durationMs: clock.now() - beganMs });
    this.#become('gone');
  }

  /** It gets no more requests, and stops when those that it has have ended. */
  dismiss(reason: StopReason = 'requested'): void {
    if (this.leaving) return;
    this.#dismissed = reason;
    this.revokeGrants();
    if (this.#state === 'starting') void this.stop(reason);
    else this.#owner.changed(this);
  }

  /** The runtime says that it has exited. */
  exited(exit: Exit): void {
    if (this.#state === 'starting') this.#launch.ended(this.#id, exit);
    else void this.stop('exited', exit);
  }

  /** The runtime does not have it any more. */
  vanished(): void {
    switch (this.#state) {
      case 'starting':
        this.#launch.ended(this.#id, undefined);
        return;
      case 'stopping':
        this.#removal.over();
        return;
      case 'gone':
        return;
      default:
        this.#world.connections.destroy(this.#known(), new Error('the instance is gone'));
        this.#stopReason ??= 'vanished';
        this.#emit({ type: 'stopped', reason: 'vanished', durationMs: 0 });
        this.#become('gone');
    }
  }

  /** The runtime says that one of its processes was killed for want of memory. */
  ranOutOfMemory(): void {
    this.#emit({ type: 'out-of-memory' });
  }

  /**
   * It failed to answer, or may be otherwise than is believed: asks the runtime, and whether it takes connections.
   * Meanwhile no lease is given out. One that ended, or cannot be reached, is replaced; a pause or resume by hand is found.
   */
  examine(): Promise<void> {
    if (this.launching || this.#state === 'gone') return Promise.resolve();
    this.#examination ??= this.#examine().finally(() => {
      this.#examination = undefined;
      this.#armIdleTimer();
      this.#owner.changed(this);
    });
    return this.#examination;
  }

  /** Lets go of it without stopping it: it is left to the next proxy. */
  abandon(): void {
    this.#idleClock.cancel();
    this.#removal.over();
    if (this.#state === 'starting') this.#launch.giveUp();
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
    this.#idleClock.cancel();
    this.#examining.abort();
    this.#launch.over();
    if (next !== 'ready') this.revokeGrants();
    if (next !== 'paused') {
      this.#restTimer?.cancel();
      this.#restTimer = undefined;
    }
    if (next === 'stopping') {
      this.#overdueTimer = this.#world.clock.after(this.revision.stopGraceMs + REMOVAL_MS, () => {
        this.#overdue = true;
        this.#owner.changed(this);
      });
    }
    if (next === 'gone') {
      this.#overdueTimer?.cancel();
      this.#world.gone(this);
    }
    this.#armIdleTimer();
    this.#owner.changed(this);
  }

  #identify(id: string): void {
    if (this.#id === id) return;
    const before = this.#id;
    this.#id = id;
    this.#world.identified(id, this, before);
  }

  async #tellExit(id: string, exit: Exit | undefined): Promise<void> {
    const { secrets = [] } = this.revision;
    const lines = await this.#world.runtime.logs(id).catch(() => []);
    this.#emit({ type: 'exited', ...exit, lastLogLines: lines.map((line) => conceal(line, secrets)) });
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
      this.#observe(actual);
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
      this.#owner.changed(this);
    });
  }

  async #examine(): Promise<void> {
    this.#examining = new AbortController();
    const { probe, clock } = this.#world;
    const finding = await prove({
      look: () => this.#look(),
      endpoint: () => this.#endpoint,
      check: this.revision.readiness.check,
      probe,
      clock,
      refused: () => this.revokeGrants(), // who has one does not know of the examination
      signal: this.#examining.signal,
    });
    if (this.#state !== 'ready') return;
    if (finding === 'unknown') this.#owner.unknown(this);
    // What still flows over open connections may end; without a network nothing does.
    else if (finding === 'unreachable') this.dismiss('unreachable');
    else if (finding === 'nowhere') void this.stop('unreachable');
  }

  async #look(): Promise<Look> {
    const before = this.#state;
    const actual = await this.#world.runtime.inspect(this.#known()).catch(() => 'unknown' as const);
    if (actual === 'unknown') this.#world.doubt();
    if (this.#state !== before) return 'settled'; // a call of our own knows better
    if (actual !== 'unknown') this.#observe(actual);
    if (before !== 'ready' || this.#state !== 'ready') return 'settled';
    if (actual === 'unknown') return 'unknown';
    if (actual?.endpoint === undefined) return 'nowhere';
    this.#moved(actual.endpoint);
    return 'running';
  }

  /** What the runtime says of it, unasked-for changes by others among it. */
  #observe(actual: InspectedInstance | undefined): void {
    if (actual === undefined) {
      this.vanished();
    } else if (actual.state === 'exited') {
      this.exited(actual.exit ?? {});
    } else if (actual.state === 'paused' && this.#state === 'ready') {
      this.#emit({ type: 'paused', durationMs: 0, byHand: true });
      this.#become('paused');
    } else if (actual.state === 'paused' && this.#state === 'starting') {
      this.#emit({ type: 'paused', durationMs: 0, byHand: true });
      void this.#resumeWhileStarting(actual.id);
    } else if (actual.state === 'running' && this.#state === 'paused') {
      if (actual.endpoint !== undefined) this.#moved(actual.endpoint);
      this.#emit({ type: 'resumed', durationMs: 0, byHand: true });
      this.#usage.touch();
      this.#become('ready');
    }
  }

  /** Somebody paused it by hand before it was ready, though requests wait for it. */
  async #resumeWhileStarting(id: string): Promise<void> {
    try {
      await this.#world.runtime.resume(id);
    } catch (error) {
      this.#emit({ type: 'resume-failed', error }); // tried again at the next look
    }
  }

  #moved(endpoint: Endpoint): void {
    const { host, port } = this.#endpoint ?? {};
    if (host === endpoint.host && port === endpoint.port) return;
    this.#endpoint = endpoint;
    this.revokeGrants();
    this.#world.connections.destroy(this.#known(), new Error("the instance's address has changed"));
  }

  #armIdleTimer(): void {
    if (!this.inUse && !this.#world.closing) this.#idleClock.arm();
  }

  #whenIdle(): void {
    // The end of the last lease, of the examination, or of a grant arms the timer again.
    if (!this.idle && !this.maybeIdle) return;
    const { stopAfterMs = Number.POSITIVE_INFINITY } = this.revision.idle;
    if (!this.#idleClock.due) this.#armIdleTimer();
    else if (this.maybeIdle) this.revokeGrants();
    else if (this.#usage.idleMs >= stopAfterMs) void this.stop('idle');
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
