import type { Running } from '../bed/running.ts';
import { median } from '../report/statistics.ts';

const ROUNDS = 5;

/** What was measured of each in rounds that alternate, so that a slow minute of the machine falls upon all. */
export class Rounds<T> {
  readonly #samples = new Map<string, T[]>();

  /** One that cannot be measured is named, and has no sample of that round. */
  static async of<T>(
    everybody: readonly Running[],
    measure: (one: Running) => Promise<T>,
  ): Promise<Rounds<T>> {
    const rounds = new Rounds<T>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const one of everybody) {
        try {
          rounds.#samples.set(one.name, [...rounds.#of(one.name), await measure(one)]);
        } catch (error) {
          console.log(`${one.name}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    return rounds;
  }

  /** NaN if nothing was measured. */
  median(name: string, pick: (sample: T) => number): number {
    return median(this.#of(name).map(pick));
  }

  #of(name: string): readonly T[] {
    return this.#samples.get(name) ?? [];
  }
}
