import { expect, test } from 'vitest';
import { PLACED_OPTIONS, setAt, valueAt } from './placed.ts';

test('each option has one place in each form, and one name', () => {
  for (const form of ['at', 'key'] as const) {
    const places = PLACED_OPTIONS.map((placed) => placed[form].join('/'));
    expect(new Set(places).size).toBe(places.length);
  }
  const names = PLACED_OPTIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

test('a value is found where it was put, in what is made on the way', () => {
  const object: Record<string, unknown> = { image: 'web:1', limits: { pids: 9 } };
  setAt(object, ['port'], 80);
  setAt(object, ['limits', 'cpus'], 2);
  setAt(object, ['readiness', 'path'], '/healthz');
  expect(object).toEqual({
    image: 'web:1',
    port: 80,
    limits: { pids: 9, cpus: 2 },
    readiness: { path: '/healthz' },
  });
  expect(valueAt(object, ['port'])).toBe(80);
  expect(valueAt(object, ['limits', 'cpus'])).toBe(2);
});

test('where nothing is, nothing is found', () => {
  expect(valueAt({ limits: { pids: 9 } }, ['limits', 'cpus'])).toBeUndefined();
  expect(valueAt({}, ['limits', 'cpus'])).toBeUndefined();
  expect(valueAt({ limits: 'none' }, ['limits', 'cpus'])).toBeUndefined();
  expect(valueAt(null, ['port'])).toBeUndefined();
});
