import { type Code, hasCode } from '@cless/model';
import type { Exit, StopReason } from '../event.ts';
import type { Revision } from '../revision.ts';
import type { Body } from './body.ts';
import type { Launch } from './launch.ts';
import { Removal } from './removal.ts';

/** Starts that failed so have left nothing that could be found by looking. */
const LEFT_NOTHING: readonly Code[] = ['IMAGE_NOT_FOUND', 'NO_FREE_PORT', 'ENGINE_REFUSED', 'START_FAILED'];

/** All ways in which an instance ends. */
export class Ending<R extends Revision = Revision> {
  readonly #body: Body<R>;
  readonly #launch: Launch<R>;
  readonly #removal: Removal;

  /** @param onOverdue called if its removal takes longer than it may */
  constructor(body: Body<R>, launch: Launch<R>, onOverdue: () => void) {
    this.#body = body;
    this.#launch = launch;
    this.#removal = new Removal({
      ...body.drive,
      onFailure: (error) => body.listener.tell({ type: 'stop-failed', error }),
      onOverdue,
    });
  }

  /** Has its removal taken longer than it may? Then its place is somebody else's. */
  get isOverdue(): boolean {
    return this.#removal.isOverdue;
  }

  /** To be called when it stops. */
  begin(): void {
    this.#removal.begin(this.#body.revision.stopGraceMs);
  }

  /** To be called when it is gone. */
  over(): void {
    this.#removal.over();
  }

  /**
   * Stops and removes it, whatever it takes: if the runtime fails it is tried again until the instance is gone.
   * One that is starting is told so and ends by itself.
   */
  async stop(reason: StopReason, exit?: Exit): Promise<void> {
    const body = this.#body;
    if (body.is('stopping') || body.is('gone')) return;
    body.stopReason ??= reason;
    if (body.is('starting')) {
      this.#launch.giveUp();
      return;
    }
    const { clock, listener, drive, revision } = body;
    const id = body.known();
    const beganMs = clock.now();
    listener.tell({ type: 'stopping', reason });
    body.become('stopping');
    if (reason === 'exited')
      listener.tell({ type: 'exited', ...exit, lastLogLines: await body.lastLogLines(id) });
    // One that was replaced has had its time to finish.
    if (reason === 'exited' || reason === 'unreachable' || reason === 'replaced')
      drive.connections.destroy(id, new Error('the instance is gone'));
    else await drive.connections.close(id);

    const isGone = await this.#removal.run(id, reason === 'exited' ? 0 : revision.stopGraceMs);
    if (body.is('gone')) return;
    if (isGone) listener.tell({ type: 'stopped', reason, durationMs: clock.now() - beganMs });
    body.become('gone');
  }

  /** Its start has failed: what is left of it goes, in the background, and its story is told. */
  discard(error: unknown): void {
    const body = this.#body;
    if (!body.is('starting')) return; // abandoned meanwhile
    const { id, listener } = body;
    const given = hasCode(error, 'START_FAILED') ? error.lastLogLines : undefined;
    const tell = (lastLogLines: readonly string[]) => {
      if (body.stopReason === undefined) listener.tell({ type: 'start-failed', error, lastLogLines });
    };
    if (id === undefined) {
      tell(body.conceal(given ?? []));
      if (!hasCode(error, ...LEFT_NOTHING)) listener.doubt();
      body.become('gone');
      return;
    }
    body.become('stopping');
    void (async () => {
      tell(given === undefined ? await body.lastLogLines(id) : body.conceal(given));
      await this.#removal.run(id, hasCode(error, 'START_FAILED') ? 0 : body.revision.stopGraceMs);
      if (!body.is('gone')) body.become('gone');
    })();
  }

  /** The runtime says that it has exited. */
  exited(exit: Exit): void {
    if (this.#body.is('starting')) this.#launch.ended(this.#body.id, exit);
    else void this.stop('exited', exit);
  }

  /** The runtime does not have it any more. */
  vanished(): void {
    const body = this.#body;
    switch (body.state) {
      case 'starting':
        this.#launch.ended(body.id, undefined);
        return;
      case 'stopping':
        this.#removal.over();
        return;
      case 'gone':
        return;
      case 'ready':
      case 'pausing':
      case 'paused':
      case 'resuming':
        body.drive.connections.destroy(body.known(), new Error('the instance is gone'));
        body.stopReason ??= 'vanished';
        body.listener.tell({ type: 'stopped', reason: 'vanished', durationMs: 0 });
        body.become('gone');
    }
  }

  /** Lets go of it without stopping it. */
  abandon(): void {
    this.#removal.over();
    if (this.#body.is('starting')) this.#launch.giveUp();
    if (!this.#body.is('gone')) this.#body.become('gone');
  }
}
