/** The functions to call when a service changes. */
export class Listeners {
  readonly #listeners = new Set<(service: string) => void>();

  add(listener: (service: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(service: string): void {
    for (const listener of this.#listeners) listener(service);
  }
}
