/** Limits how many requests wait at once. */
export class WaitingRoom {
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of waiting requests. */
  get size(): number {
    return this.#size;
  }

  /** Takes a place. Returns false if there is none. */
  enter(): boolean {
    if (this.#size >= this.#limit) return false;
    this.#size += 1;
    return true;
  }

  leave(): void {
    this.#size -= 1;
  }
}
