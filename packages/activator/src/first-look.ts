import type { WaitingRoom } from './admission/waiting-room.ts';
import { queueFull, runtimeUnavailable } from './failures.ts';

/** Holds requests until it is known which instances run. */
export class FirstLook {
  readonly #room: WaitingRoom;
  #done = Promise.withResolvers<void>();
  #isDone = false;
  /** Why the runtime cannot be reached; undefined if it can. */
  #lost: Error | undefined;

  constructor(room: WaitingRoom) {
    this.#room = room;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Resolves when it is known which instances run.
   *
   * @throws `QUEUE_FULL`, `ENGINE_UNREACHABLE`, or the signal's reason
   */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#lost !== undefined) throw runtimeUnavailable(this.#lost);
    if (!this.#room.enter()) throw queueFull('all services', this.#room.size);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([this.#done.promise, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#room.leave();
    }
  }

  done(): void {
    this.#isDone = true;
    this.#done.resolve();
  }

  /** Fails all waiting requests. */
  fail(error: unknown): void {
    const { reject, promise } = this.#done;
    this.#done = Promise.withResolvers();
    promise.catch(() => {});
    reject(error);
  }

  /**
   * Called when the runtime has become reachable (undefined) or unreachable (with the error). Requests that arrive
   * while it is unreachable are not held.
   */
  reachable(lost: Error | undefined): void {
    this.#lost = lost;
    if (lost !== undefined && !this.#isDone) this.fail(runtimeUnavailable(lost));
  }
}
