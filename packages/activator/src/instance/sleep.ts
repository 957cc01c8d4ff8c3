import type { Timer } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { Body } from './body.ts';
import type { Ending } from './ending.ts';

/**
 * How long to rest before waking an instance that is in use but paused again, after the runtime did not answer, in
 * milliseconds.
 */
const RESUME_REST_MS = 1_000;

/** Puts an instance to sleep and wakes it. */
export class Sleep<R extends Revision = Revision> {
  readonly #body: Body<R>;
  readonly #ending: Ending<R>;
  readonly #onRested: () => void;
  #rest: Timer | undefined;

  /** @param onRested called when waking may be tried again after it has failed */
  constructor(body: Body<R>, ending: Ending<R>, onRested: () => void) {
    this.#body = body;
    this.#ending = ending;
    this.#onRested = onRested;
  }

  /** Has it failed to wake recently, so that it is left alone for now? */
  get isResting(): boolean {
    return this.#rest !== undefined;
  }

  /** Must be called when it is no longer asleep. */
  over(): void {
    this.#rest?.cancel();
    this.#rest = undefined;
  }

  /** Freezes the instance. No lease is open, and none is given out until it is resumed. */
  async pause(): Promise<void> {
    const body = this.#body;
    const { clock, drive, listener } = body;
    const id = body.known();
    body.become('pausing');
    const beganMs = clock.now();
    try {
      // After the resume the app's keep-alive timers may close old connections just as a request is written.
      await drive.connections.close(id);
      await drive.runtime.pause?.(id);
    } catch (error) {
      return this.recover('pausing', error);
    }
    if (!body.is('pausing')) return;
    listener.tell({ type: 'paused', durationMs: clock.now() - beganMs, byHand: false });
    body.become('paused');
  }

  /** Wakes the instance. If this rejects with the runtime's error, call `recover`. */
  async resume(): Promise<void> {
    const body = this.#body;
    const { clock, drive, listener } = body;
    const id = body.known();
    body.become('resuming');
    const beganMs = clock.now();
    await drive.runtime.resume?.(id);
    if (!body.is('resuming')) return;
    listener.tell({ type: 'resumed', durationMs: clock.now() - beganMs, byHand: false });
    listener.touched();
    body.become('ready');
  }

  /** After a failed pause or resume, finds out the state of the instance, and replaces it if it cannot be woken. */
  async recover(during: 'pausing' | 'resuming', error: unknown): Promise<void> {
    const body = this.#body;
    const { listener } = body;
    if (!body.is(during)) return;
    listener.tell({ type: during === 'pausing' ? 'pause-failed' : 'resume-failed', error });
    const actual = await body.inspect();
    if (!body.is(during)) return;
    listener.touched(); // so that it is not due again at once
    if (actual === 'unknown') {
      listener.doubt();
      if (during === 'resuming') this.#restAWhile();
      body.become(during === 'pausing' ? 'ready' : 'paused');
      return;
    }
    switch (actual?.state) {
      case undefined:
        this.#ending.vanished();
        return;
      case 'exited':
        this.#ending.exited(actual.exit ?? {});
        return;
      case 'running':
        body.become('ready');
        return;
      case 'created':
      case 'paused':
        if (during === 'pausing') body.become('paused');
        else void this.#ending.stop('exited'); // it cannot be woken
    }
  }

  // Private

  #restAWhile(): void {
    this.#rest = this.#body.clock.after(RESUME_REST_MS, () => {
      this.#rest = undefined;
      this.#onRested();
    });
  }
}
