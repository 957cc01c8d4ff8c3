import type { Revision } from '@cless/model';
import type { ServedService, ServiceSource } from './source.ts';

/**
 * Combines several sources: a service comes from the first source that serves it. A source that knows a name without
 * serving it (yet) leaves it to the later ones.
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

  /** When an earlier source serves a service, its revisions of later ones retire. */
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
