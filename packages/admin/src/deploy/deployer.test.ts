import fc from 'fast-check';
import { expect, test } from 'vitest';
import { share } from './deployer.ts';

const split = (...percents: number[]) => ({
  splits: percents.map((percent, i) => ({ revision: `r${i}`, percent })),
  tags: {},
});

test.each([
  [split(100), 10, { new: 10, r0: 90 }],
  [split(50, 50), 10, { new: 10, r0: 45, r1: 45 }],
  [split(90, 10), 25, { new: 25, r0: 68, r1: 7 }],
  [split(34, 33, 33), 1, { new: 1, r0: 33, r1: 33, r2: 33 }],
  [split(99, 1), 99, { new: 99, r0: 1 }],
  [split(), 10, { new: 100 }],
  [split(60, 40), 100, { new: 100 }],
  [split(60, 40), 0, { r0: 60, r1: 40 }],
])('the others share the rest as they shared the whole (%#)', (before, percent, after) => {
  const shared = share(before, 'new', percent);
  expect(Object.fromEntries(shared.map((one) => [one.revision, one.percent]))).toEqual(after);
});

test('one that had some already gets so many in all', () => {
  expect(share(split(20, 80), 'r0', 50)).toEqual([
    { revision: 'r0', percent: 50 },
    { revision: 'r1', percent: 50 },
  ]);
});

test('it is always whole percentages, 100 together', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 }).map((all) => {
    // The sum is limited to 100; the rest goes to the first.
    let left = 100;
    const percents = all.flatMap((one) => {
      const taken = Math.min(one, left);
      left -= taken;
      return taken > 0 ? [taken] : [];
    });
    return split(...percents.map((one, i) => (i === 0 ? one + left : one)));
  });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 100 }), (before, percent) => {
      const shared = share(before, 'new', percent);
      expect(shared.reduce((sum, one) => sum + one.percent, 0)).toBe(100);
      for (const one of shared) expect(Number.isInteger(one.percent) && one.percent >= 1).toBe(true);
      expect(shared[0]).toEqual({ revision: 'new', percent });
    }),
  );
});
