import type { Clock, Timer } from '@cless/model';
import { hasCode } from '@cless/model';
import { Backoff } from './admission/backoff.ts';
import type { Instance } from './instance/instance.ts';

export interface KeeperOptions {
  readonly clock: Clock;
  /** Is there no instance that serves, or will? */
  readonly isMissing: () => boolean;
  /** For how long no start may be tried, whoever asks for it. In milliseconds. */
  readonly backoffMs: () => number;
  /** @param failures ends and failed starts since the instance that was there last had lived for long enough */
  readonly start: (failures: number) => void;
}

/** Who lived so long did not die of its start: the next rest is a short one again. */
const GROWN_UP_MS = 60_000;

/** Keeps an instance of a revision running though nobody asks for it, with rests between its ends and the next start. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #rests: Backoff;
  #active = false;
  #timer: Timer | undefined;
  /** Since when instances have been ready, in milliseconds. */
  readonly #readySinceMs = new WeakMap<object, number>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#rests = new Backoff(options.clock);
  }

  /** Is an instance to run though nobody asks for it? */
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

  /** A start has failed. */
  failed(error: unknown): void {
    if (!this.#active) return;
    if (hasCode(error, 'ENGINE_UNREACHABLE')) this.#rests.reset(); // soon again when it is back
    this.#rests.fail(error);
    this.look();
  }

  /** An instance has changed. What has run once is kept, unless somebody, or the want of room, has it stopped. */
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

  /** Has an instance started, after a rest, if there is none. */
  look(): void {
    const { clock, isMissing, backoffMs, start } = this.#options;
    if (!this.#active || !isMissing()) return;
    this.#timer?.cancel();
    this.#timer = clock.after(Math.max(backoffMs(), this.#rests.remainingMs), () => {
      if (this.#active && isMissing()) start(this.#rests.failures);
    });
  }
}
