/** The value below which a share of the sample lies. */
export function quantile(sample: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(sample).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(sample: Iterable<number>): number {
  return quantile(sample, 0.5);
}
