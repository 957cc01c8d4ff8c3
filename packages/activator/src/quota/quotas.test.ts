import { expect, test } from 'vitest';
import { Quotas } from './quotas.ts';

test('adds up what is given out, until it is returned', () => {
  const idle: number[] = [];
  const quotas = new Quotas((idleMs) => idle.push(idleMs));
  const [one, other] = [quotas.open(3, () => {}), quotas.open(2, () => {})];
  expect([quotas.size, quotas.holders, quotas.inUse, quotas.isAsked]).toEqual([5, 2, false, false]);
  quotas.revoke();
  expect(quotas.isAsked).toBe(true);
  one.returned({ leases: 1, idleMs: 0 });
  other.returned({ leases: 0, idleMs: 9 });
  expect([quotas.size, quotas.holders, quotas.inUse, quotas.isAsked]).toEqual([1, 1, true, false]);
  one.returned({ leases: 0, idleMs: 0 });
  expect([quotas.size, quotas.isEmpty, idle]).toEqual([0, true, [0, 9, 0]]);
});

test('one without a limit makes the sum so', () => {
  const quotas = new Quotas(() => {});
  quotas.open(Number.POSITIVE_INFINITY, () => {});
  quotas.open(1, () => {});
  expect(quotas.size).toBe(Number.POSITIVE_INFINITY);
});
