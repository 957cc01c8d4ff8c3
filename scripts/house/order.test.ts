import { describe, expect, test } from 'vitest';
import { type Imports, readImports } from './imports.ts';
import { againstOrder, circles } from './order.ts';

describe('the house', () => {
  const imports = readImports();

  test('no circle of modules', () => {
    expect(circles(imports)).toEqual([]);
  });

  test('nobody imports from a floor above, nor a package what it is to do without', () => {
    expect(againstOrder(imports)).toEqual([]);
  });
});

/** Modules by short names: `{ a: ['b'] }`, a imports b. */
const madeUp = (modules: Record<string, string[]>): Imports => new Map(Object.entries(modules));

test('circles are found, however long, and each once', () => {
  expect(circles(madeUp({ a: ['b', 'c'], b: ['c'], c: [] }))).toEqual([]);
  expect(circles(madeUp({ a: ['b'], b: ['c'], c: ['a', 'd'], d: ['e'], e: ['d'], f: ['a'] }))).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
});

test('the order holds for folders of the proxy and for packages that are of use alone', () => {
  const proxy = 'packages/proxy/src';
  const against = againstOrder(
    madeUp({
      [`${proxy}/edge/http1.ts`]: [`${proxy}/edge/connection.ts`, `${proxy}/request/head.ts`],
      [`${proxy}/request/head.ts`]: [`${proxy}/edge/http1.ts`, 'packages/activator/src/index.ts'],
      [`${proxy}/answer/page.ts`]: [`${proxy}/services/source.ts`],
      [`${proxy}/main.ts`]: [`${proxy}/nowhere/new.ts`],
      'packages/activator/src/lease.ts': ['packages/model/src/index.ts', 'packages/router/src/index.ts'],
    }),
  );
  expect(against).toEqual([
    `${proxy}/request/head.ts → ${proxy}/edge/http1.ts`,
    `${proxy}/answer/page.ts → ${proxy}/services/source.ts`,
    `${proxy}/main.ts → ${proxy}/nowhere/new.ts`,
    'packages/activator/src/lease.ts → packages/router/src/index.ts',
  ]);
});
