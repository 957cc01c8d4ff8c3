import type {
  Clock,
  Endpoint,
  ReadinessProbe,
  Revision,
  RunningInstance,
  Runtime,
  Timer,
} from '@cless/model';
import { hasCode, shuttingDown } from '@cless/model';
import type { Exit, InstanceEvent } from '../event.ts';
import { instanceExited } from '../failures.ts';
import { lookInto } from './not-ready.ts';

export interface LaunchOptions {
  readonly revision: Revision;
  readonly runtime: Runtime;
  readonly probe: ReadinessProbe;
  readonly clock: Clock;
  readonly emit: (event: InstanceEvent) => void;
  /** Called when the runtime has given it an id; again, with another, where it had to make it anew. */
  readonly identified: (id: string) => void;
  /** Looks how it is: an event may have been lost. */
  readonly look: () => Promise<void>;
  /** Called once, when it may get its first request. */
  readonly ready: (endpoint: Endpoint) => void;
}

/** While it gets ready the runtime is asked so often how it is, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

/** The way of an instance until it is ready, or until it is known that it will not be. */
export class Launch {
  readonly #options: LaunchOptions;
  /** Aborted with the reason why it will not be ready. */
  readonly #failure = new AbortController();
  /** Has the runtime's start come back? Until then the runtime itself tells of its end. */
  #isMade = false;
  /** What events told before. */
  #toldBefore: { readonly id: string | undefined; readonly exit: Exit | undefined } | undefined;
  #isOver = false;
  #timer: Timer | undefined;

  constructor(options: LaunchOptions) {
    this.#options = options;
  }

  /** Has the runtime made it, so that it gets no other id any more? */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Has the runtime start it, and waits until it is ready. Rejects with the reason if it cannot be. */
  async start(): Promise<void> {
    const { revision, runtime, clock, emit, identified } = this.#options;
    const beganMs = clock.now();
    const { hardening, relaxations = [] } = revision.spec;
    const given = hardening === 'off' ? ['off', ...relaxations] : relaxations;
    emit({ type: 'starting', ...(given.length > 0 && { relaxations: given }) });
    const started = await runtime.start(revision.spec, {
      signal: this.#failure.signal,
      onCreated: (id) => {
        identified(id);
        emit({ type: 'created', durationMs: clock.now() - beganMs });
      },
    });
    identified(started.id);
    this.#isMade = true;
    if (this.#toldBefore?.id === started.id) throw instanceExited(revision.service, this.#toldBefore.exit);
    emit({ type: 'started', durationMs: clock.now() - beganMs });
    await this.#becomeReady(started, beganMs);
  }

  /** The same for one that was found running. */
  async adopt(found: RunningInstance): Promise<void> {
    this.#isMade = true;
    await this.#becomeReady(found, this.#options.clock.now());
  }

  /** It has exited, or was removed. While the runtime is at it, that may be a try of its own that failed. */
  ended(id: string | undefined, exit: Exit | undefined): void {
    if (this.#isMade) this.#failure.abort(instanceExited(this.#options.revision.service, exit));
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

  async #becomeReady({ id, endpoint }: RunningInstance, beganMs: number): Promise<void> {
    const { revision, probe, clock, emit, ready } = this.#options;
    const { signal } = this.#failure;
    this.#lookNowAndThen();
    const { attempts } = await probe(endpoint, { ...revision.readiness, signal }).catch(
      async (error: unknown) => {
        if (!hasCode(error, 'NOT_READY')) throw error;
        const explained = await lookInto(id, revision, error, this.#options);
        signal.throwIfAborted();
        throw explained;
      },
    );
    signal.throwIfAborted();
    emit({ type: 'ready', durationMs: clock.now() - beganMs, attempts });
    ready(endpoint);
  }

  #lookNowAndThen(): void {
    const { clock, look } = this.#options;
    this.#timer = clock.after(LOOK_EVERY_MS, () => {
      void look().then(() => {
        if (!this.#isOver) this.#lookNowAndThen();
      });
    });
  }
}
