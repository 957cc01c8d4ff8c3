import type { ForwardError } from '../forward/forwarder.ts';

/** What may be sent again depends on. */
export interface Tried {
  readonly method: string;
  /** What became of its body: there is none, nothing was taken of it, something was. */
  readonly body: 'none' | 'untouched' | 'taken';
  /** How often it has been sent again already. */
  readonly retries: number;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** How often one request may be sent again. */
const MAX_RETRIES = 3;

/**
 * May a request be sent again? Any, if not one byte of it was written to the instance. An idempotent one without a body,
 * once, if the connection was closed before any byte of an answer: it had been used before, or the engine's port relay had
 * taken it for an app that is dead. Nothing else.
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

/** Bounds retries in total: each ten requests earn one, so that a sick instance is not asked twice as much. */
export class RetryBudget {
  #balance = 10;

  /** To be called for each request. */
  earn(): void {
    if (this.#balance < 100) this.#balance += 0.1;
  }

  /** May one more be sent again? */
  spend(): boolean {
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }
}
