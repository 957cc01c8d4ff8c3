/**
 * How many random inputs a test tries: a twentieth of `all` among the unit tests, where it is to find what has just
 * been broken, and all in the integration tests. `FUZZ_RUNS` says another number (`npm run fuzz`).
 */
export function fuzzRuns(all: number): number {
  const { FUZZ_RUNS, FUZZ_ALL } = process.env;
  if (FUZZ_RUNS !== undefined) return Number(FUZZ_RUNS);
  return FUZZ_ALL === undefined ? Math.ceil(all / 20) : all;
}

/** `FUZZ_SEED`, which makes a failure happen again; `otherwise` if it is not set. */
export function fuzzSeed<Otherwise>(otherwise: Otherwise): number | Otherwise {
  const { FUZZ_SEED } = process.env;
  return FUZZ_SEED === undefined ? otherwise : Number(FUZZ_SEED);
}
