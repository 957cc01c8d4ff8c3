import type { Revision } from '@cless/model';
import type { ServedService, ServiceSource } from './source.ts';

/**
 * Several sources as one: a service is that of the first source that serves it. Whoever has a name without serving it (yet)
 * leaves it to those behind.
 */
export class SourceChain implements ServiceSource {
  readonly #sources: readonly ServiceSource[];
  readonly #retiredListeners: ((revision: Revision) => void)[] = [];

  /** @param sources first comes first */
  constructor(sources: readonly ServiceSource[]) {
    this.#sources = sources;
  }

  known(service: string): ServedService | undefined {
    for (const source of this.#sources) {
      const served = source.known(service);
      if (served?.serves) return served;
    }
    return undefined;
  }

  async resolve(service: string): Promise<ServedService | undefined> {
    let unserved: ServedService | undefined;
    for (const source of this.#sources) {
      const served = source.known(service) ?? (await source.resolve(service));
      if (served?.serves) return served;
      unserved ??= served;
    }
    return unserved;
  }

  async revision(service: string, id: string): Promise<Revision | undefined> {
    for (const source of this.#sources) {
      const served = source.known(service) ?? (await source.resolve(service));
      if (served?.serves) return source.revision(service, id);
    }
    return undefined;
  }

  /** What those behind have of a service retires when one before them serves it. */
  changed(service: string): void {
    let isServed = false;
    for (const source of this.#sources) {
      source.changed(service);
      const served = source.known(service);
      if (isServed)
        for (const revision of served?.revisions ?? [])
          for (const listener of this.#retiredListeners) listener(revision);
      isServed ||= served?.serves === true;
    }
  }

  refresh(): void {
    for (const source of this.#sources) source.refresh();
  }

  onRetired(listener: (revision: Revision) => void): void {
    this.#retiredListeners.push(listener);
    for (const source of this.#sources) source.onRetired(listener);
  }

  onKept(listener: (revision: Revision) => void): void {
    for (const source of this.#sources) source.onKept(listener);
  }
}
