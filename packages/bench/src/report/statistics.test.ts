import { describe, expect, it } from 'vitest';
import { median, quantile } from './statistics.ts';

describe('quantile', () => {
  it('is the value below which a share of the sample lies, in whatever order it comes', () => {
    const sample = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    expect(quantile(sample, 0)).toBe(1);
    expect(quantile(sample, 0.5)).toBe(6);
    expect(quantile(sample, 0.9)).toBe(10);
    expect(quantile(sample, 1)).toBe(10);
  });

  it('compares numbers, not their digits', () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  it('is not a number for an empty sample', () => {
    expect(median([])).toBeNaN();
  });
});
