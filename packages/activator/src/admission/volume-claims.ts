import type { Clock, Revision, Timer } from '@cless/model';
import type { Instance } from '../instance/instance.ts';

/** The right to be the only one that writes a service's volumes. */
export interface Claim {
  /** Who has it; nothing while its start waits for room or for its turn. */
  instance: Occupant | undefined;
  /** To be called when the instance is gone, or was not started after all. */
  release(): void;
}

type Occupant = Pick<Instance, 'revision' | 'state' | 'leaving' | 'idle' | 'dismiss' | 'stop'>;

interface Holder {
  readonly claim: Claim;
  /** Since when its instance has been up. */
  upSinceMs: number | undefined;
  /** Since when it has been on its way out. */
  leavingSinceMs: number | undefined;
}

/** The claims of one service, of which at most one is held, and who waits for it. */
interface Line {
  readonly held: Set<Holder>;
  /** Instances that are being removed, and that nothing else is known of, by id. */
  readonly leftovers: Set<string>;
  readonly waiting: Set<Waiting>;
  /** When there is something to look at again. */
  timer: Timer | undefined;
}

interface Waiting {
  readonly isWanted: () => boolean;
  readonly decide: (claim: Claim | 'unwanted' | 'late') => void;
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
export class VolumeClaims {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits until an instance of the revision may be started.
   *
   * @param isWanted asked while it waits: does anybody still wait for that start?
   * @returns what to release when the instance is gone; or why there is none to be started
   */
  async enter(
    revision: Revision,
    patienceMs: number,
    isWanted: () => boolean,
  ): Promise<Claim | 'unwanted' | 'late'> {
    if (revision.rollout !== 'replace') return { instance: undefined, release: () => {} };
    const line = this.#line(revision.service);
    const { promise, resolve } = Promise.withResolvers<Claim | 'unwanted' | 'late'>();
    const patience = this.#clock.after(patienceMs, () => {
      line.waiting.delete(waiting);
      resolve('late');
      this.changed(revision.service);
    });
    const waiting: Waiting = {
      isWanted,
      decide: (outcome) => {
        patience.cancel();
        line.waiting.delete(waiting);
        resolve(outcome);
      },
    };
    line.waiting.add(waiting);
    this.changed(revision.service);
    return promise;
  }

  /** The same for an instance that runs already; nothing if it may not. */
  adopt(revision: Revision): Claim | undefined {
    if (revision.rollout !== 'replace') return { instance: undefined, release: () => {} };
    const line = this.#line(revision.service);
    return isFree(line) && line.waiting.size === 0 ? this.#claim(revision.service, line) : undefined;
  }

  /** The revision that has taken the place of this one, and was ready. */
  successor(revision: Revision): Revision | undefined {
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
    this.changed(service);
  }

  /** All leftovers, by service. */
  *leftovers(): Generator<[service: string, id: string]> {
    for (const [service, { leftovers }] of this.#lines) for (const id of leftovers) yield [service, id];
  }

  /** To be called when an instance of the service has changed, or who waits for one. */
  changed(service: string): void {
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

  #line(service: string): Line {
    let line = this.#lines.get(service);
    if (line === undefined) {
      line = { held: new Set(), leftovers: new Set(), waiting: new Set(), timer: undefined };
      this.#lines.set(service, line);
    }
    return line;
  }

  #claim(service: string, line: Line): Claim {
    const claim: Claim = {
      instance: undefined,
      release: () => {
        if (line.held.delete(holder)) this.changed(service);
      },
    };
    const holder: Holder = { claim, upSinceMs: undefined, leavingSinceMs: undefined };
    line.held.add(holder);
    return claim;
  }

  /** Whoever has it is to go, but not before it has had its turn. */
  #makeWay(service: string, line: Line): void {
    const nowMs = this.#clock.now();
    for (const { claim, upSinceMs, leavingSinceMs } of line.held) {
      const { instance } = claim;
      if (instance === undefined || upSinceMs === undefined || instance.state === 'stopping') continue;
      if (leavingSinceMs !== undefined) {
        const leftMs = leavingSinceMs + DRAIN_MS - nowMs;
        if (leftMs > 0) this.#lookAgain(service, line, leftMs);
        else void instance.stop('replaced');
      } else if (instance.idle || nowMs - upSinceMs >= LEAST_HOLD_MS) {
        instance.dismiss('replaced'); // which tells of a change, and so calls here again
      } else {
        this.#lookAgain(service, line, upSinceMs + LEAST_HOLD_MS - nowMs);
      }
    }
  }

  #lookAgain(service: string, line: Line, afterMs: number): void {
    line.timer?.cancel();
    line.timer = this.#clock.after(afterMs, () => this.changed(service));
  }
}

function isFree({ held, leftovers }: Line): boolean {
  return held.size === 0 && leftovers.size === 0;
}
