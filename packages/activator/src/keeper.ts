import type { Clock, Timer } from '@cless/model';
import { hasCode } from '@cless/model';
import { Backoff } from './admission/backoff.ts';
import type { Instance } from './instance/instance.ts';

export interface KeeperOptions {
  readonly clock: Clock;
  /** Is there neither an instance that serves nor one that will? */
  readonly isMissing: () => boolean;
  /** How long no start may be tried, in milliseconds. */
  readonly backoffMs: () => number;
  /** @param failures how often instances ended or failed to start since one last lived long enough */
  readonly start: (failures: number) => void;
}

/** An instance that lived this long did not die of its start, so the next rest is a short one again. In milliseconds. */
const GROWN_UP_MS = 60_000;

/** Keeps an instance of a revision running without requests, with rests between an end and the next start. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #rests: Backoff;
  #active = false;
  #timer: Timer | undefined;
  /** When each instance became ready, in milliseconds of the clock. */
  readonly #readySinceMs = new WeakMap<object, number>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#rests = new Backoff(options.clock);
  }

  /** Must an instance run even without requests? */
  get active(): boolean {
    return this.#active;
  }

  begin(): void {
    this.#active = true;
    this.look();
  }

  end(): void {
    this.#active = false;
    this.#timer?.cancel();
  }

  /** Called when a start has failed. */
  failed(error: unknown): void {
    if (!this.#active) return;
    if (hasCode(error, 'ENGINE_UNREACHABLE')) this.#rests.reset(); // so that the next start follows soon after it is back
    this.#rests.fail(error);
    this.look();
  }

  /**
   * Called when an instance has changed. A revision that has run is kept running, unless it is stopped by hand or to
   * make room.
   */
  changed(instance: Pick<Instance, 'state' | 'dismissed' | 'stopReason'>): void {
    const { clock } = this.#options;
    const reason = instance.dismissed ?? instance.stopReason;
    if (reason === 'requested' || reason === 'capacity' || reason === 'replaced') {
      this.end();
    } else if (instance.state === 'ready' && reason === undefined) {
      if (!this.#readySinceMs.has(instance)) this.#readySinceMs.set(instance, clock.now());
      this.#active = true;
    } else if (reason !== undefined) {
      const readySinceMs = this.#readySinceMs.get(instance);
      if (readySinceMs === undefined) return;
      this.#readySinceMs.delete(instance);
      if (clock.now() - readySinceMs >= GROWN_UP_MS) this.#rests.reset();
      this.#rests.fail(undefined);
    }
  }

  /** Starts an instance after a rest, if there is none. */
  look(): void {
    const { clock, isMissing, backoffMs, start } = this.#options;
    if (!this.#active || !isMissing()) return;
    this.#timer?.cancel();
    this.#timer = clock.after(Math.max(backoffMs(), this.#rests.remainingMs), () => {
      if (this.#active && isMissing()) start(this.#rests.failures);
    });
  }
}
