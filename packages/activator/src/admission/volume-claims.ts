import type { Clock, Timer } from '@cless/model';
import type { StopReason } from '../event.ts';
import type { InstanceState } from '../instance/state.ts';
import type { Revision } from '../revision.ts';

/** The exclusive right to write a service's volumes. */
export interface Claim<R extends Revision = Revision> {
  /** The instance that holds it; undefined while its start waits for room or its turn. */
  instance: Occupant<R> | undefined;
  /** Must be called when the instance is gone or was not started after all. */
  release(): void;
}

/** An instance that holds a claim and can be asked to leave. */
export interface Occupant<R extends Revision = Revision> {
  readonly revision: R;
  readonly state: InstanceState;
  readonly leaving: boolean;
  readonly idle: boolean;
  dismiss(reason: StopReason): void;
  stop(reason: StopReason): Promise<void>;
}

interface Holder<R extends Revision> {
  readonly claim: Claim<R>;
  /** When its instance became ready; undefined before. */
  upSinceMs: number | undefined;
  /** When its instance began to leave; undefined before. */
  leavingSinceMs: number | undefined;
}

/** The claims of one service: the held one, if any, and those waiting. */
interface Line<R extends Revision> {
  readonly held: Set<Holder<R>>;
  /** Ids of unknown instances that are being removed. */
  readonly leftovers: Set<string>;
  readonly waiting: Set<Waiting<R>>;
  /** Fires when the line must be looked at again. */
  timer: Timer | undefined;
}

interface Waiting<R extends Revision> {
  readonly isWanted: () => boolean;
  readonly decide: (claim: Claim<R> | 'unwanted' | 'late') => void;
}

/** How long an instance serves at least, after it became ready, before it must leave for another, in milliseconds. */
const LEAST_HOLD_MS = 1_000;
/** How long open requests may take when an instance must leave for another, in milliseconds. */
const DRAIN_MS = 30_000;

/**
 * Makes sure that two instances never write one volume: at most one instance exists of a service's revisions with
 * `rollout: replace`. A start waits until the previous instance is gone; that one gets no more requests, finishes
 * those it has, and stops. Revisions take turns, so that each one asked for gets to answer.
 */
export class VolumeClaims<R extends Revision = Revision> {
  readonly #clock: Clock;
  /** Schedules a call of `look`. */
  readonly #changed: (service: string) => void;
  readonly #lines = new Map<string, Line<R>>();

  constructor(clock: Clock, changed: (service: string) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * Waits until an instance of the revision may be started.
   *
   * @param isWanted called while it waits: does anybody still wait for this start?
   * @param signal ends the wait like a timeout
   * @returns the claim, to be released when the instance is gone; or why none may be started
   */
  async enter(
    revision: R,
    patienceMs: number,
    isWanted: () => boolean,
    signal: AbortSignal,
  ): Promise<Claim<R> | 'unwanted' | 'late'> {
    if (revision.rollout !== 'replace') return { instance: undefined, release: () => {} };
    const line = this.#line(revision.service);
    const { promise, resolve } = Promise.withResolvers<Claim<R> | 'unwanted' | 'late'>();
    const giveUp = () => {
      waiting.decide('late');
      this.#changed(revision.service);
    };
    const patience = this.#clock.after(patienceMs, giveUp);
    const waiting: Waiting<R> = {
      isWanted,
      decide: (outcome) => {
        patience.cancel();
        signal.removeEventListener('abort', giveUp);
        line.waiting.delete(waiting);
        resolve(outcome);
      },
    };
    signal.addEventListener('abort', giveUp, { once: true });
    line.waiting.add(waiting);
    if (signal.aborted) giveUp();
    else this.#changed(revision.service);
    return promise;
  }

  /** The same for an instance that already runs; undefined if it may not go on. */
  adopt(revision: R): Claim<R> | undefined {
    if (revision.rollout !== 'replace') return { instance: undefined, release: () => {} };
    const line = this.#line(revision.service);
    return isFree(line) && line.waiting.size === 0 ? this.#claim(revision.service, line) : undefined;
  }

  /** The revision that has replaced this one and has been ready; undefined if there is none. */
  successor(revision: R): R | undefined {
    if (revision.rollout !== 'replace') return undefined;
    for (const { claim, upSinceMs } of this.#lines.get(revision.service)?.held ?? []) {
      const { instance } = claim;
      if (upSinceMs === undefined || instance === undefined) continue;
      if (!instance.leaving && instance.revision.id !== revision.id) return instance.revision;
    }
    return undefined;
  }

  /** Notes an unwanted instance, which may write until it has been removed; see {@link vacated}. */
  leftover(service: string, id: string): void {
    this.#line(service).leftovers.add(id);
  }

  /** Notes that a leftover is gone, or never existed. */
  vacated(service: string, id: string): void {
    this.#lines.get(service)?.leftovers.delete(id);
    this.#changed(service);
  }

  /** All leftovers, by service. */
  *leftovers(): Generator<[service: string, id: string]> {
    for (const [service, { leftovers }] of this.#lines) for (const id of leftovers) yield [service, id];
  }

  /** Looks at a service after an instance of it, or who waits for one, has changed. Must not be called recursively. */
  look(service: string): void {
    const line = this.#lines.get(service);
    if (line === undefined) return;
    for (const holder of line.held) {
      const { instance } = holder.claim;
      if (instance !== undefined && instance.state !== 'starting') holder.upSinceMs ??= this.#clock.now();
      if (instance?.leaving) holder.leavingSinceMs ??= this.#clock.now();
    }
    line.timer?.cancel();
    line.timer = undefined;
    for (const next of line.waiting) {
      if (!next.isWanted()) next.decide('unwanted');
      else if (isFree(line)) next.decide(this.#claim(service, line));
      else {
        this.#makeWay(service, line);
        break;
      }
    }
    if (isFree(line) && line.waiting.size === 0 && this.#lines.get(service) === line)
      this.#lines.delete(service);
  }

  // Private

  #line(service: string): Line<R> {
    let line = this.#lines.get(service);
    if (line === undefined) {
      line = { held: new Set(), leftovers: new Set(), waiting: new Set(), timer: undefined };
      this.#lines.set(service, line);
    }
    return line;
  }

  #claim(service: string, line: Line<R>): Claim<R> {
    const claim: Claim<R> = {
      instance: undefined,
      release: () => {
        if (line.held.delete(holder)) this.#changed(service);
      },
    };
    const holder: Holder<R> = { claim, upSinceMs: undefined, leavingSinceMs: undefined };
    line.held.add(holder);
    return claim;
  }

  /** Makes the holder leave, but not before it has had its turn. */
  #makeWay(service: string, line: Line<R>): void {
    const nowMs = this.#clock.now();
    for (const { claim, upSinceMs, leavingSinceMs } of line.held) {
      const { instance } = claim;
      if (instance === undefined || upSinceMs === undefined || instance.state === 'stopping') continue;
      if (leavingSinceMs !== undefined) {
        const leftMs = leavingSinceMs + DRAIN_MS - nowMs;
        if (leftMs > 0) this.#lookAgain(service, line, leftMs);
        else void instance.stop('replaced');
      } else if (instance.idle || nowMs - upSinceMs >= LEAST_HOLD_MS) {
        instance.dismiss('replaced');
      } else {
        this.#lookAgain(service, line, upSinceMs + LEAST_HOLD_MS - nowMs);
      }
    }
  }

  #lookAgain(service: string, line: Line<R>, afterMs: number): void {
    line.timer?.cancel();
    line.timer = this.#clock.after(afterMs, () => this.#changed(service));
  }
}

function isFree({ held, leftovers }: Pick<Line<Revision>, 'held' | 'leftovers'>): boolean {
  return held.size === 0 && leftovers.size === 0;
}
