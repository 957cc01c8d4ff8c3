import type { Revision } from '@cless/model';
import type { FakeRuntime } from '@cless/testkit';
import { ConventionSource } from './convention.ts';

/** For tests: services by convention, from a fake runtime's images. */
export class FakeConvention extends ConventionSource {
  readonly #runtime: FakeRuntime;

  constructor(runtime: FakeRuntime) {
    super({
      runtime,
      imageSuffix: '',
      defaults: {
        readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
        idle: { pauseAfterMs: 60_000, stopAfterMs: 900_000 },
        stopGraceMs: 10_000,
      },
    });
    this.#runtime = runtime;
  }

  /** The revision that serves the service; creates its image if there is none. */
  async serving(service = 'web'): Promise<Revision> {
    if (!this.#runtime.images.has(service)) {
      this.#runtime.images.set(service, `${service}-1`);
      this.refresh();
    }
    const found = (await this.resolve(service))?.revision;
    if (found === undefined) throw new Error(`no ${service}`);
    return found;
  }
}
