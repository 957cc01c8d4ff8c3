import type { ForwardError } from '../forward/forwarder.ts';

/** What decides whether a request may be retried. */
export interface Tried {
  readonly method: string;
  /** Its body: there is none, nothing of it has been read, or something has. */
  readonly body: 'none' | 'untouched' | 'taken';
  /** How often it has been retried already. */
  readonly retries: number;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** How often one request may be retried. */
const MAX_RETRIES = 3;

/**
 * May a request be retried? Any request of which no byte was written to the instance. An idempotent one without a
 * body, once, if the connection was closed before any byte of an answer, because it was reused or because the
 * engine's port relay had accepted it for a dead app. No others.
 */
export function mayBeSentAgain({ code, reached }: ForwardError, { method, body, retries }: Tried): boolean {
  if (code !== 'UPSTREAM_DISCONNECTED' || retries >= MAX_RETRIES) return false;
  switch (reached) {
    case 'unsent':
      return body !== 'taken';
    case 'stale':
    case 'closed':
      return body === 'none' && retries === 0 && IDEMPOTENT.has(method);
    case 'sent':
      return false;
  }
}

/** Limits retries in total: ten requests earn one, so that a failing instance does not get twice the load. */
export class RetryBudget {
  #balance = 10;

  /** Call for each request. */
  earn(): void {
    if (this.#balance < 100) this.#balance += 0.1;
  }

  /** May one more request be retried? If so, spends it. */
  spend(): boolean {
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }
}
