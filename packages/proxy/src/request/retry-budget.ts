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
