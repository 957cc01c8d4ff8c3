/**
 * How many random inputs a test tries: a twentieth of `all` as a unit test, which should find what has just been
 * broken, and all as an integration test. `FUZZ_RUNS` sets another number (`npm run fuzz`).
 */
export function fuzzRuns(all: number): number {
  const { FUZZ_RUNS, FUZZ_ALL } = process.env;
  if (FUZZ_RUNS !== undefined) return Number(FUZZ_RUNS);
  return FUZZ_ALL === undefined ? Math.ceil(all / 20) : all;
}

/** `FUZZ_SEED`, which reproduces a failure; `otherwise` if it is not set. */
export function fuzzSeed<Otherwise>(otherwise: Otherwise): number | Otherwise {
  const { FUZZ_SEED } = process.env;
  return FUZZ_SEED === undefined ? otherwise : Number(FUZZ_SEED);
}
