import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import type { Body } from './body.ts';
import type { Ending } from './ending.ts';
import { type Finding, type Look, prove } from './proof.ts';

/** Told about the course of an examination. */
export interface Examiner {
  /** Called each time the instance refuses a connection. */
  refused(): void;
  /** Called with the finding, if the question has not been settled otherwise. */
  found(finding: Finding): void;
  /** Called once, when the examination is over. */
  examined(): void;
}

/**
 * Checks an instance that failed to answer or whose state is in doubt: asks the runtime, and whether it accepts
 * connections. No leases are given out meanwhile. A pause or resume by hand is noticed.
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

  /** Resolves when the examination is over. Concurrent calls share one. */
  run(): Promise<void> {
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = undefined;
      this.#examiner.examined();
    });
    return this.#underWay;
  }

  /** Must be called when the state changes, which settles the question. */
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
    if (finding !== 'settled' && this.#body.is('ready')) this.#examiner.found(finding);
  }

  async #look(): Promise<Look> {
    const body = this.#body;
    const before = body.state;
    const actual = await body.inspect();
    if (actual === 'unknown') body.listener.doubt();
    if (!body.is(before)) return 'settled'; // a call of our own has changed it meanwhile
    if (actual !== 'unknown') this.#observe(actual);
    if (before !== 'ready' || !body.is('ready')) return 'settled';
    if (actual === 'unknown') return 'unknown';
    if (actual?.endpoint === undefined) return 'nowhere';
    body.move(actual.endpoint);
    return 'running';
  }

  /** Takes over what the runtime says, including changes made by others. */
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

  /** Resumes an instance that was paused by hand before it was ready, since requests wait for it. */
  async #resumeWhileStarting(id: string): Promise<void> {
    try {
      await this.#body.drive.runtime.resume?.(id);
    } catch (error) {
      this.#body.listener.tell({ type: 'resume-failed', error }); // tried again at the next check
    }
  }
}
