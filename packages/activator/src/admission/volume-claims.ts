import type { Clock, Timer } from '@cless/model';
import type { StopReason } from '../event.ts';
import type { InstanceState } from '../instance/state.ts';
import type { Revision } from '../revision.ts';

/** The right to be the only one that writes a service's volumes. */
export interface Claim<R extends Revision = Revision> {
  /** Who has it; undefined while its start waits for room or for its turn. */
  instance: Occupant<R> | undefined;
  /** To be called when the instance is gone, or was not started after all. */
  release(): void;
}

/** What has a claim, and can be asked to go. */
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
  /** Since when its instance has been up. */
  upSinceMs: number | undefined;
  /** Since when it has been on its way out. */
  leavingSinceMs: number | undefined;
}

/** The claims of one service, of which at most one is held, and who waits for it. */
interface Line<R extends Revision> {
  readonly held: Set<Holder<R>>;
  /** Instances that are being removed, and that nothing else is known of, by id. */
  readonly leftovers: Set<string>;
  readonly waiting: Set<Waiting<R>>;
  /** When there is something to look at again. */
  timer: Timer | undefined;
}

interface Waiting<R extends Revision> {
  readonly isWanted: () => boolean;
  readonly decide: (claim: Claim<R> | 'unwanted' | 'late') => void;
}

/** An instance that was asked to go for another serves at least so long after it became ready, in milliseconds. */
const LEAST_HOLD_MS = 1_000;
/** How long open requests may take when an instance is to go for another, in milliseconds. */
const DRAIN_MS = 30_000;

/**
 * Two instances never write one volume: of a service's revisions that replace each other (`rollout: replace`) at most one
 * instance is there, also of the same revision. A start waits until whoever was there before is gone; that one gets no more
 * requests, finishes those that it has, and stops. In turn, so that each that is asked for gets to answer.
 */
export class VolumeClaims<R extends Revision = Revision> {
  readonly #clock: Clock;
  /** Has `look` called, when nothing else is being looked at. */
  readonly #changed: (service: string) => void;
  readonly #lines = new Map<string, Line<R>>();

  constructor(clock: Clock, changed: (service: string) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * Waits until an instance of the revision may be started.
   *
   * @param isWanted asked while it waits: does anybody still wait for that start?
   * @param signal ends the wait as if it had taken too long
   * @returns what to release when the instance is gone; or why there is none to be started
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

  /** The same for an instance that runs already; undefined if it may not. */
  adopt(revision: R): Claim<R> | undefined {
    if (revision.rollout !== 'replace') return { instance: undefined, release: () => {} };
    const line = this.#line(revision.service);
    return isFree(line) && line.waiting.size === 0 ? this.#claim(revision.service, line) : undefined;
  }

  /** The revision that has taken the place of this one, and was ready. */
  successor(revision: R): R | undefined {
    if (revision.rollout !== 'replace') return undefined;
    for (const { claim, upSinceMs } of this.#lines.get(revision.service)?.held ?? []) {
      const { instance } = claim;
      if (upSinceMs === undefined || instance === undefined) continue;
      if (!instance.leaving && instance.revision.id !== revision.id) return instance.revision;
    }
    return undefined;
  }

  /** An instance that nobody wants runs until it has been removed; see {@link vacated}. */
  leftover(service: string, id: string): void {
    this.#line(service).leftovers.add(id);
  }

  /** It is gone, or was never there. */
  vacated(service: string, id: string): void {
    this.#lines.get(service)?.leftovers.delete(id);
    this.#changed(service);
  }

  /** All leftovers, by service. */
  *leftovers(): Generator<[service: string, id: string]> {
    for (const [service, { leftovers }] of this.#lines) for (const id of leftovers) yield [service, id];
  }

  /** To be called when an instance of the service has changed, or who waits for one, and not from within itself. */
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

  /** Whoever has it is to go, but not before it has had its turn. */
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
