/** A chapter: faults one after the other, each after a rest. */
export interface Chapter<F> {
  readonly fault: F;
  readonly restMs: number;
}

const LONGEST_REST_MS = 800;

/** An endless random order of faults, never the same twice in a row; reproducible from a seed. */
export function* tellStory<F>(faults: readonly F[], random: () => number): Generator<Chapter<F>> {
  let last: F | undefined;
  for (;;) {
    const choice = faults.filter((fault) => fault !== last || faults.length === 1);
    last = choice[Math.floor(random() * choice.length)];
    if (last === undefined) return;
    yield { fault: last, restMs: Math.round(random() * LONGEST_REST_MS) };
  }
}
