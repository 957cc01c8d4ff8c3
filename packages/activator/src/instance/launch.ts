import { hasCode, shuttingDown, type Timer } from '@cless/model';
import type { Exit } from '../event.ts';
import { instanceExited, notReady } from '../failures.ts';
import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import type { Body } from './body.ts';

/** While it gets ready the runtime is asked so often how it is, in milliseconds. */
const LOOK_EVERY_MS = 5_000;
/** How long finding out why it did not get ready may take, in milliseconds: requests wait for it. */
const EXPLAIN_MS = 5_000;

/** The way of an instance until it is ready, or until it is known that it will not be. */
export class Launch<R extends Revision = Revision> {
  readonly #body: Body<R>;
  /** Looks how it is: an event may have been lost. */
  readonly #look: () => Promise<void>;
  /** Aborted with the reason why it will not be ready. */
  readonly #failure = new AbortController();
  /** Has the runtime's start come back? Until then the runtime itself tells of its end. */
  #isMade = false;
  /** What events told before. */
  #toldBefore: { readonly id: string | undefined; readonly exit: Exit | undefined } | undefined;
  #isOver = false;
  #timer: Timer | undefined;

  constructor(body: Body<R>, look: () => Promise<void>) {
    this.#body = body;
    this.#look = look;
  }

  /** Has the runtime made it, so that it gets no other id any more? */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Has the runtime start it, and waits until it is ready. Rejects with the reason if it cannot be. */
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

  /** The same for one that was found running. */
  async adopt(found: RuntimeInstance): Promise<void> {
    this.#isMade = true;
    await this.#becomeReady(found, this.#body.clock.now());
  }

  /** It has exited, or was removed. While the runtime is at it, that may be a try of its own that failed. */
  ended(id: string | undefined, exit: Exit | undefined): void {
    if (this.#isMade) this.#failure.abort(instanceExited(this.#body.revision.service, exit));
    else this.#toldBefore = { id, exit };
  }

  /** It is not wanted any more. */
  giveUp(): void {
    this.#failure.abort(shuttingDown());
  }

  /** It is ready, or given up: nothing is looked at any more. */
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

  /** Says why, if it only did not get ready in time. */
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
