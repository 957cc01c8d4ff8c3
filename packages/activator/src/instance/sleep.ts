import type { Timer } from '@cless/model';
import type { Revision } from '../revision.ts';
import type { Body } from './body.ts';
import type { Ending } from './ending.ts';

/** How long to rest before an instance that is in use, and paused, is woken again after a runtime that did not answer. */
const RESUME_REST_MS = 1_000;

/** How an instance is put to sleep and woken. */
export class Sleep<R extends Revision = Revision> {
  readonly #body: Body<R>;
  readonly #ending: Ending<R>;
  readonly #onRested: () => void;
  #rest: Timer | undefined;

  /** @param onRested called when it may be woken again after it has failed to wake */
  constructor(body: Body<R>, ending: Ending<R>, onRested: () => void) {
    this.#body = body;
    this.#ending = ending;
    this.#onRested = onRested;
  }

  /** Did it fail to wake a moment ago, and is left alone for now? */
  get isResting(): boolean {
    return this.#rest !== undefined;
  }

  /** To be called when it does not sleep any more. */
  over(): void {
    this.#rest?.cancel();
    this.#rest = undefined;
  }

  /** Freezes it. No lease is open, none is given out any more. */
  async pause(): Promise<void> {
    const body = this.#body;
    const { clock, drive, listener } = body;
    const id = body.known();
    body.become('pausing');
    const beganMs = clock.now();
    try {
      // Whatever the app's own timers do after the resume must not meet a request on an old connection.
      await drive.connections.close(id);
      await drive.runtime.pause?.(id);
    } catch (error) {
      return this.recover('pausing', error);
    }
    if (!body.is('pausing')) return;
    listener.tell({ type: 'paused', durationMs: clock.now() - beganMs, byHand: false });
    body.become('paused');
  }

  /** Wakes it. Rejects with the runtime's reason if that fails: then `recover` it. */
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

  /** A pause or resume has failed: finds out how it is, and replaces one that will not wake. */
  async recover(during: 'pausing' | 'resuming', error: unknown): Promise<void> {
    const body = this.#body;
    const { listener } = body;
    if (!body.is(during)) return;
    listener.tell({ type: during === 'pausing' ? 'pause-failed' : 'resume-failed', error });
    const actual = await body.inspect();
    if (!body.is(during)) return;
    listener.touched(); // not at once again
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
        else void this.#ending.stop('exited'); // it will not wake
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
