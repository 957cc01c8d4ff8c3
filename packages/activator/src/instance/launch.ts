import { hasCode, shuttingDown, type Timer } from '@cless/model';
import type { Exit } from '../event.ts';
import { instanceExited, notReady } from '../failures.ts';
import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import type { Body } from './body.ts';

/** How often the runtime is asked for the state of an instance that is getting ready, in milliseconds. */
const LOOK_EVERY_MS = 5_000;
/** How long finding out why it did not get ready may take, in milliseconds; requests wait meanwhile. */
const EXPLAIN_MS = 5_000;

/** The launch of an instance: until it is ready, or known not to become so. */
export class Launch<R extends Revision = Revision> {
  readonly #body: Body<R>;
  /** Asks the runtime for its state, since an event may have been lost. */
  readonly #look: () => Promise<void>;
  /** Aborted with the reason why it will not become ready. */
  readonly #failure = new AbortController();
  /** Has the runtime's `start` returned? Until then, the runtime itself reports if the instance ends. */
  #isMade = false;
  /** The end that an event reported before that. */
  #toldBefore: { readonly id: string | undefined; readonly exit: Exit | undefined } | undefined;
  #isOver = false;
  #timer: Timer | undefined;

  constructor(body: Body<R>, look: () => Promise<void>) {
    this.#body = body;
    this.#look = look;
  }

  /** Has the runtime finished starting it, so that its id is final? */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Starts it with the runtime and waits until it is ready. Rejects with the reason if it does not get so. */
  async start(): Promise<void> {
    const body = this.#body;
    const { revision, drive, clock, listener } = body;
    const beganMs = clock.now();
    listener.tell({ type: 'starting' });
    const started = await drive.runtime.start(revision.spec, {
      signal: this.#failure.signal,
      onCreated: (id) => {
        body.identify(id);
        listener.tell({ type: 'created', durationMs: clock.now() - beganMs });
      },
    });
    body.identify(started.id);
    this.#isMade = true;
    if (this.#toldBefore?.id === started.id) throw instanceExited(revision.service, this.#toldBefore.exit);
    listener.tell({ type: 'started', durationMs: clock.now() - beganMs });
    await this.#becomeReady(started, beganMs);
  }

  /** The same for an instance that already runs. */
  async adopt(found: RuntimeInstance): Promise<void> {
    this.#isMade = true;
    await this.#becomeReady(found, this.#body.clock.now());
  }

  /**
   * Called when it has exited or was removed. During the runtime's `start` that may only be a failed attempt of the
   * runtime.
   */
  ended(id: string | undefined, exit: Exit | undefined): void {
    if (this.#isMade) this.#failure.abort(instanceExited(this.#body.revision.service, exit));
    else this.#toldBefore = { id, exit };
  }

  /** Aborts the launch of an instance that is no longer wanted. */
  giveUp(): void {
    this.#failure.abort(shuttingDown());
  }

  /** Stops looking, because it is ready or has been given up. */
  over(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  // Private

  async #becomeReady({ id, endpoint, exit }: RuntimeInstance, beganMs: number): Promise<void> {
    const body = this.#body;
    const { revision, drive, clock, listener } = body;
    const { signal } = this.#failure;
    if (endpoint === undefined) throw instanceExited(revision.service, exit);
    this.#lookNowAndThen();
    const { attempts } = await drive
      .probe(endpoint, { ...revision.readiness, signal })
      .catch((error: unknown) => this.#fail(id, error));
    signal.throwIfAborted();
    listener.tell({ type: 'ready', durationMs: clock.now() - beganMs, attempts });
    body.settle(endpoint);
    listener.touched();
    body.become('ready');
  }

  /** Adds an explanation if it merely did not get ready in time. */
  async #fail(id: string, error: unknown): Promise<never> {
    if (!hasCode(error, 'NOT_READY')) throw error;
    const { revision, drive, clock } = this.#body;
    const enough = new AbortController();
    const timer = clock.after(EXPLAIN_MS, () => enough.abort());
    const why = await drive.explain(id, revision, error, enough.signal).finally(() => timer.cancel());
    this.#failure.signal.throwIfAborted();
    throw notReady(revision.service, revision.readiness.timeoutMs, why, error);
  }

  #lookNowAndThen(): void {
    this.#timer = this.#body.clock.after(LOOK_EVERY_MS, () => {
      void this.#look().then(() => {
        if (!this.#isOver) this.#lookNowAndThen();
      });
    });
  }
}
