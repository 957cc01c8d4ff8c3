import { type Code, hasCode } from '@cless/model';
import type { Exit, StopReason } from '../event.ts';
import type { Revision } from '../revision.ts';
import type { Body } from './body.ts';
import type { Launch } from './launch.ts';
import { Removal } from './removal.ts';

/** Codes of failed starts that have left nothing behind. */
const LEFT_NOTHING: readonly Code[] = ['IMAGE_NOT_FOUND', 'NO_FREE_PORT', 'ENGINE_REFUSED', 'START_FAILED'];

/** All ways in which an instance ends. */
export class Ending<R extends Revision = Revision> {
  readonly #body: Body<R>;
  readonly #launch: Launch<R>;
  readonly #removal: Removal;

  /** @param onOverdue called once, if its removal takes too long */
  constructor(body: Body<R>, launch: Launch<R>, onOverdue: () => void) {
    this.#body = body;
    this.#launch = launch;
    this.#removal = new Removal({
      ...body.drive,
      onFailure: (error) => body.listener.tell({ type: 'stop-failed', error }),
      onOverdue,
    });
  }

  /** Has its removal taken too long, so that its place may be given to another? */
  get isOverdue(): boolean {
    return this.#removal.isOverdue;
  }

  /** Must be called when it begins to stop. */
  begin(): void {
    this.#removal.begin(this.#body.revision.stopGraceMs);
  }

  /** Must be called when it is gone. */
  over(): void {
    this.#removal.over();
  }

  /**
   * Stops and removes the instance. If the runtime fails, tries again until the instance is gone. If it is starting,
   * the start is aborted and removes it.
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
    // A replaced instance has had time to finish its requests.
    if (reason === 'exited' || reason === 'unreachable' || reason === 'replaced')
      drive.connections.destroy(id, new Error('the instance is gone'));
    else await drive.connections.close(id);

    const isGone = await this.#removal.run(id, reason === 'exited' ? 0 : revision.stopGraceMs);
    if (body.is('gone')) return;
    if (isGone) listener.tell({ type: 'stopped', reason, durationMs: clock.now() - beganMs });
    body.become('gone');
  }

  /** Removes, in the background, what is left after a failed start, and reports the failure. */
  discard(error: unknown): void {
    const body = this.#body;
    if (!body.is('starting')) return; // abandoned in the meantime
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

  /** Called when the runtime reports that it has exited. */
  exited(exit: Exit): void {
    if (this.#body.is('starting')) this.#launch.ended(this.#body.id, exit);
    else void this.stop('exited', exit);
  }

  /** Called when the runtime does not have it any more. */
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

  /** Lets go of the instance without stopping it. */
  abandon(): void {
    this.#removal.over();
    if (this.#body.is('starting')) this.#launch.giveUp();
    if (!this.#body.is('gone')) this.#body.become('gone');
  }
}
