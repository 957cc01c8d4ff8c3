import { hasCode } from '@cless/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { invalid } from './invalid.ts';

const schema = z.strictObject({
  hosts: z.array(z.string().max(5)).max(2).default([]),
  port: z.int().min(1).max(65_535).optional(),
  kind: z.enum(['http', 'tcp']).optional(),
  sticky: z.boolean().optional(),
  env: z.record(z.string().regex(/^\w+$/, 'allowed are letters'), z.string()).optional(),
  limits: z.strictObject({ memory: z.string().optional() }).optional(),
  services: z.record(z.string(), z.strictObject({ image: z.string() })).optional(),
});

/** The errors by pointer. */
function wrong(value: unknown): Record<string, string> {
  const { error } = schema.safeParse(value);
  if (error === undefined) return {};
  const failure: unknown = invalid(error, schema, 'body');
  const errors = hasCode(failure, 'INVALID_REQUEST') ? (failure.errors ?? []) : [];
  return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]));
}

test.each([
  [7, '#', 'allowed is an object'],
  [{ port: 'eighty' }, '#/port', 'allowed is a number'],
  [{ port: 1.5 }, '#/port', 'allowed is a whole number'],
  [{ port: 0 }, '#/port', 'allowed is 1 or more'],
  [{ port: 65_536 }, '#/port', 'allowed is at most 65535'],
  [{ hosts: 'a' }, '#/hosts', 'allowed is a list'],
  [{ hosts: ['a', 'b', 'c'] }, '#/hosts', 'allowed is at most 2 entries'],
  [{ hosts: ['abcdef'] }, '#/hosts/0', 'allowed is at most 5 characters'],
  [{ kind: 'grpc' }, '#/kind', 'allowed is http or tcp'],
  [{ sticky: 'yes' }, '#/sticky', 'allowed is true or false'],
  [{ env: { 'A B': '' } }, '#/env/A%20B', 'as a name, allowed are letters'],
  [{ env: { 'a/b~c': '' } }, '#/env/a~1b~0c', 'as a name, allowed are letters'],
  [{ limits: { memory: 1 } }, '#/limits/memory', 'allowed is a string'],
])('%j: %s: %s', (value, pointer, detail) => {
  expect(wrong(value)).toEqual({ [pointer]: detail });
});

test('a field that there is not is told with the nearest, wherever it stands', () => {
  expect(wrong({ prot: 80 })['#/prot']).toMatch(
    /^there is no such field; did you mean port\? allowed are hosts, /,
  );
  expect(wrong({ entirelyElse: 1 })['#/entirelyElse']).toMatch(
    /^there is no such field; allowed are hosts, /,
  );
  expect(wrong({ limits: { memroy: '1' } })).toEqual({
    '#/limits/memroy': 'there is no such field; did you mean memory? allowed are memory',
  });
  expect(wrong({ services: { web: { image: 'a', imgae: 'b' } } })).toEqual({
    '#/services/web/imgae': 'there is no such field; did you mean image? allowed are image',
  });
});

test('one thing is told in one sentence, several are counted', () => {
  const told = (value: unknown) => {
    const { error } = schema.safeParse(value);
    return error && invalid(error, schema, 'query');
  };
  expect(told({ port: 0 })).toMatchObject({
    code: 'INVALID_REQUEST',
    message: '#/port: allowed is 1 or more.',
  });
  expect(told([])?.message).toBe('The query: allowed is an object.');
  expect(told({ port: 0, sticky: 1 })?.message).toBe('2 things are wrong with the query.');
});
