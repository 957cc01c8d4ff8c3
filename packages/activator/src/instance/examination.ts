import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import type { Body } from './body.ts';
import type { Ending } from './ending.ts';
import { type Finding, type Look, prove } from './proof.ts';

/** Who has an instance examined. */
export interface Examiner {
  /** It took no connection, and is tried again. */
  refused(): void;
  /** What came of it, if it is still in question. */
  found(finding: Finding): void;
  /** It is over, whatever came of it. */
  examined(): void;
}

/**
 * An instance failed to answer, or may be otherwise than is believed: asks the runtime, and whether it takes connections.
 * Meanwhile no lease is given out. A pause or resume by hand is found.
 */
export class Examination<R extends Revision = Revision> {
  readonly #body: Body<R>;
  readonly #ending: Ending<R>;
  readonly #examiner: Examiner;
  #underWay: Promise<void> | undefined;
  #end = new AbortController();

  constructor(body: Body<R>, ending: Ending<R>, examiner: Examiner) {
    this.#body = body;
    this.#ending = ending;
    this.#examiner = examiner;
  }

  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** Resolves when it is over; many reasons are one examination. */
  run(): Promise<void> {
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = undefined;
      this.#examiner.examined();
    });
    return this.#underWay;
  }

  /** To be called when the state changes: nothing is in question any more. */
  over(): void {
    this.#end.abort();
  }

  // Private

  async #run(): Promise<void> {
    this.#end = new AbortController();
    const { drive, revision } = this.#body;
    const finding = await prove({
      look: () => this.#look(),
      endpoint: () => this.#body.endpoint,
      readiness: revision.readiness,
      probe: drive.probe,
      clock: drive.clock,
      refused: () => this.#examiner.refused(),
      signal: this.#end.signal,
    });
    if (this.#body.is('ready')) this.#examiner.found(finding);
  }

  async #look(): Promise<Look> {
    const body = this.#body;
    const before = body.state;
    const actual = await body.inspect();
    if (actual === 'unknown') body.listener.doubt();
    if (!body.is(before)) return 'settled'; // a call of our own knows better
    if (actual !== 'unknown') this.#observe(actual);
    if (before !== 'ready' || !body.is('ready')) return 'settled';
    if (actual === 'unknown') return 'unknown';
    if (actual?.endpoint === undefined) return 'nowhere';
    body.move(actual.endpoint);
    return 'running';
  }

  /** What the runtime says of it, unasked-for changes by others among it. */
  #observe(actual: RuntimeInstance | undefined): void {
    const body = this.#body;
    const { listener } = body;
    if (actual === undefined) {
      this.#ending.vanished();
    } else if (actual.state === 'exited') {
      this.#ending.exited(actual.exit ?? {});
    } else if (actual.state === 'paused' && body.is('ready')) {
      listener.tell({ type: 'paused', durationMs: 0, byHand: true });
      body.become('paused');
    } else if (actual.state === 'paused' && body.is('starting')) {
      listener.tell({ type: 'paused', durationMs: 0, byHand: true });
      void this.#resumeWhileStarting(actual.id);
    } else if (actual.state === 'running' && body.is('paused')) {
      if (actual.endpoint !== undefined) body.move(actual.endpoint);
      listener.tell({ type: 'resumed', durationMs: 0, byHand: true });
      listener.touched();
      body.become('ready');
    }
  }

  /** Somebody paused it by hand before it was ready, though requests wait for it. */
  async #resumeWhileStarting(id: string): Promise<void> {
    try {
      await this.#body.drive.runtime.resume?.(id);
    } catch (error) {
      this.#body.listener.tell({ type: 'resume-failed', error }); // tried again at the next look
    }
  }
}
